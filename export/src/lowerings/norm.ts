import type { Builder } from '../graph/builder.js';
import { range } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { CHANNELS_FIRST, laidOut, shapeOf, type View, view } from '../graph/view.js';
import { type Lowering, lower, lowerViews, type Table } from './table.js';

interface BatchNorm {
  x: View;
  mean: View;
  variance: View;
  offset: View;
  scale: View;
}

/** Along one axis, wherever it lies. */
const softmax = (op: string): Lowering =>
  lowerViews<{ logits: View }, { dim?: number; axis?: number }>(({ logits }, attrs, b) => {
    const rank = logits.value.shape.length;
    const along = attrs.dim ?? attrs.axis ?? rank - 1;
    const at = along < 0 ? along + rank : along;
    const axis = logits.perm?.[at] ?? at;
    return view(b.map(op, [b.Cast(logits.value, 'float32')], { axis }), logits.perm);
  });

interface LrnAttrs {
  readonly depthRadius: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

/** The sum over each channel's neighbours within the radius, for channels-last images. */
function neighbours(b: Builder, x: Value, radius: number): Value {
  const n = x.shape.at(-1) as number;
  const band = range(n).flatMap((i) => range(n).map((j) => Number(Math.abs(i - j) <= radius)));
  return b.MatMul(x, b.constant(Float32Array.from(band), [n, n], 'float32'));
}

export const NORM: Table = {
  Softmax: softmax('Softmax'),
  LogSoftmax: softmax('LogSoftmax'),
  LRN: lowerViews<{ x: View }, LrnAttrs>(({ x }, { depthRadius, bias, alpha, beta }, b) => {
    const size = 2 * depthRadius + 1;
    const floats = { bias: { float: bias }, alpha: { float: alpha * size }, beta: { float: beta } };
    const y = b.map('LRN', [laidOut(b, x, CHANNELS_FIRST)], { size, ...floats });
    return view(y, CHANNELS_FIRST);
  }),
  LRNGrad: lower<{ x: Value; y: Value; dy: Value }, LrnAttrs>(
    ({ x, y, dy }, { depthRadius, bias, alpha, beta }, b) => {
      const squares = neighbours(b, b.Mul(x, x), depthRadius);
      const norm = b.Add(b.Mul(squares, b.float(alpha)), b.float(bias));
      const own = b.Mul(dy, b.Pow(norm, b.float(-beta)));
      const shared = neighbours(b, b.Mul(dy, b.Div(y, norm)), depthRadius);
      return b.Sub(own, b.Mul(b.Mul(x, b.float(2 * alpha * beta)), shared));
    },
  ),
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
