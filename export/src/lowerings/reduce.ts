import * as tf from '@tensorflow/tfjs-core';
import type { Builder } from '../graph/builder.js';
import { range } from '../graph/shapes.js';
import type { DType, Value } from '../graph/value.js';
import { shapeOf, type View, view } from '../graph/view.js';
import { type Lowering, lower, lowerViews, type Table } from './table.js';

interface Attrs {
  readonly axis?: number | number[];
  /** What TF.js calls the axes of Max. */
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}

/** A reduction of a value over its own axes. */
type Reduce = (b: Builder, x: Value, axes: readonly number[], keepDims: boolean) => Value;

/**
 * A reduction over axes. A pending permutation stays pending: the axes are named in the value's
 * own order, and what is left keeps its relative place.
 */
const reduction = (reduce: Reduce): Lowering =>
  lowerViews<{ x: View }, Attrs>(({ x }, { axis, reductionIndices, keepDims = false }, b) => {
    const shape = [...shapeOf(x)];
    const axes = tf.util.parseAxisParam((axis ?? reductionIndices) as number | number[], shape);
    const perm = x.perm ?? range(shape.length);
    const physical = axes.map((a) => perm[a] as number).sort((p, q) => p - q);
    const value = reduce(b, x.value, physical, keepDims);
    if (keepDims) return view(value, perm);
    const left = perm.filter((p) => !physical.includes(p));
    const rank = [...left].sort((p, q) => p - q);
    return view(
      value,
      left.map((p) => rank.indexOf(p)),
    );
  });

const numeric = (b: Builder, x: Value): Value => b.Cast(x, x.dtype === 'bool' ? 'int32' : x.dtype);

const sum =
  (op: string, dtype?: DType): Reduce =>
  (b, x, axes, keepDims) =>
    b.reduce(op, dtype ? b.Cast(x, dtype) : numeric(b, x), axes, keepDims);

/**
 * The largest or smallest. onnxruntime passes over NaN where TF.js gives NaN: the sum of absolute
 * values, one cheap reduction more, is NaN exactly then.
 */
const extreme =
  (op: string): Reduce =>
  (b, x, axes, keepDims) => {
    const found = b.reduce(op, numeric(b, x), axes, keepDims);
    if (x.dtype !== 'float32' || axes.length === 0) return b.Cast(found, x.dtype);
    const total = b.reduce('ReduceL1', x, axes, keepDims);
    return b.Where(b.IsNaN(total), total, found);
  };

const logical =
  (op: string): Reduce =>
  (b, x, axes, keepDims) =>
    b.Cast(b.reduce(op, b.Cast(b.Cast(x, 'bool'), 'int32'), axes, keepDims), 'bool');

/** The place of the largest or smallest; NaN is never it, `worst` stands in its place. */
const place = (op: string, worst: number): Lowering =>
  lower<{ x: Value }, { axis: number | number[] }>((inputs, attrs, b) => {
    const x = numeric(b, inputs.x);
    const [axis] = tf.util.parseAxisParam(attrs.axis, [...x.shape]) as [number];
    const known = x.dtype === 'float32' ? b.Where(b.IsNaN(x), b.float(worst), x) : x;
    const shape = x.shape.filter((_, i) => i !== axis);
    const out = { shape, dtype: 'int64' } as const;
    return b.Cast(b.op(op, [known], { axis, keepdims: 0 }, out)[0] as Value, 'int32');
  });

export const REDUCE: Table = {
  Sum: reduction(sum('ReduceSum')),
  Prod: reduction(sum('ReduceProd')),
  Mean: reduction(sum('ReduceMean', 'float32')),
  Max: reduction(extreme('ReduceMax')),
  Min: reduction(extreme('ReduceMin')),
  All: reduction(logical('ReduceMin')),
  Any: reduction(logical('ReduceMax')),
  ArgMax: place('ArgMax', Number.NEGATIVE_INFINITY),
  ArgMin: place('ArgMin', Number.POSITIVE_INFINITY),
};
