import * as tf from '@tensorflow/tfjs-core';
import type { DType } from '../graph.js';
import { range } from '../shapes.js';
import { shapeOf, type View, view } from '../view.js';
import { type Lowering, lowerViews, type Table } from './table.js';

interface Attrs {
  readonly axis?: number | number[];
  readonly keepDims?: boolean;
}

/**
 * A reduction over axes. A pending permutation stays pending: the axes are named in the value's
 * own order, and what is left keeps its relative place.
 */
const reduction = (op: string, typeFor: (dtype: DType) => DType): Lowering =>
  lowerViews<{ x: View }, Attrs>(({ x }, { axis, keepDims = false }, b) => {
    const shape = [...shapeOf(x)];
    const axes = tf.util.parseAxisParam(axis as number | number[], shape);
    const perm = x.perm ?? range(shape.length);
    const physical = axes.map((a) => perm[a] as number).sort((p, q) => p - q);
    const value = b.reduce(op, b.Cast(x.value, typeFor(x.value.dtype)), physical, keepDims);
    if (keepDims) return view(value, perm);
    const left = perm.filter((p) => !physical.includes(p));
    const rank = [...left].sort((p, q) => p - q);
    return view(
      value,
      left.map((p) => rank.indexOf(p)),
    );
  });

const integers = (d: DType): DType => (d === 'bool' ? 'int32' : d);

export const REDUCE: Table = {
  Sum: reduction('ReduceSum', integers),
  Prod: reduction('ReduceProd', integers),
  Mean: reduction('ReduceMean', () => 'float32'),
  Max: reduction('ReduceMax', integers),
  Min: reduction('ReduceMin', integers),
};
