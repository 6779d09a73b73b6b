import { range } from '../shapes.js';
import { laidOut, shapeOf, type View, view } from '../view.js';
import { lowerViews, type Table } from './table.js';

interface BatchNorm {
  x: View;
  mean: View;
  variance: View;
  offset: View;
  scale: View;
}

export const NORM: Table = {
  /**
   * (x − mean) · scale / √(variance + ε) + offset, written as x · a + c: with constant statistics
   * a and c are constants, and the pass for convolutions takes them into the weights.
   */
  FusedBatchNorm: lowerViews<BatchNorm, { varianceEpsilon: number }>(
    (i, { varianceEpsilon }, b) => {
      const perm = i.x.perm ?? range(shapeOf(i.x).length);
      const at = (v: View) => laidOut(b, v, perm);
      const inverseStd = b.Reciprocal(b.Sqrt(b.Add(at(i.variance), b.float(varianceEpsilon))));
      const a = i.scale ? b.Mul(inverseStd, at(i.scale)) : inverseStd;
      const shift = b.Mul(at(i.mean), a);
      const c = i.offset ? b.Sub(at(i.offset), shift) : b.Neg(shift);
      return view(b.Add(b.Mul(i.x.value, a), c), perm);
    },
  ),
};
