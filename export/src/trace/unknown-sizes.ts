import * as tf from '@tensorflow/tfjs-core';
import { range, sizeOf } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { dense, type View, view } from '../graph/view.js';
import { isConstant, TraceBackend } from './backend.js';

/**
 * The indices of the elements that are true, a row each, in their order: int32 [found, rank]. TF.js's
 * own `whereAsync` reads the values; recorded, how many there are stays open until the file runs.
 */
export function whereTrue(condition: tf.Tensor): tf.Tensor {
  const backend = tf.backend();
  const flags = tf.cast(condition, 'bool');
  if (!(backend instanceof TraceBackend) || isConstant(flags)) {
    return tf.kernel_impls.whereImpl(flags.shape, flags.dataSync());
  }
  const [indices] = backend.record({ flags }, (b, views) => {
    const value = dense(b, views.flags as View);
    const shape = [value.shape.length, b.unknownSize(sizeOf(value.shape))];
    const [columns] = b.op('NonZero', [value], {}, { shape, dtype: 'int64' }) as [Value];
    return [view(b.Cast(b.Transpose(columns, range(2).reverse()), 'int32'))];
  });
  return indices as tf.Tensor;
}

/** A tensor's shape. Sizes that depend on values are asked for when the file runs. */
export function shapeTensor(t: tf.Tensor): tf.Tensor {
  const backend = tf.backend();
  return backend instanceof TraceBackend && backend.hasUnknownSize(t)
    ? backend.shapeOf(t)
    : tf.tensor1d(t.shape, 'int32');
}

/**
 * How long a tensor is along its first axis, a scalar. What depends on values is asked, when the file runs, of the
 * first value that has this size, so that those of tensors that are equally long are one.
 */
export function sizeTensor(t: tf.Tensor): tf.Tensor {
  const backend = tf.backend();
  const size = t.shape[0] as number;
  return backend instanceof TraceBackend && backend.hasUnknownSize(t, 0)
    ? backend.sizeOf(t)
    : tf.scalar(size, 'int32');
}

/** From `start` to before `end`, by steps of `step`, whose values may be known only at run time. */
export function rangeTensor(start: tf.Tensor, end: tf.Tensor, step: tf.Tensor): tf.Tensor {
  const dtype = end.dtype as 'int32' | 'float32';
  const backend = tf.backend();
  const ends = { start, end, step };
  if (!(backend instanceof TraceBackend) || Object.values(ends).every(isConstant)) {
    const [from, to, by] = Object.values(ends).map((t) => t.dataSync()[0] as number);
    return tf.range(from as number, to as number, by, dtype);
  }
  const [numbers] = backend.record(ends, (b, views) => {
    const scalars = Object.values(views).map((v) => b.Cast(b.Reshape(dense(b, v), []), dtype));
    const shape = [b.unknownSize(boundOf(scalars[1] as Value))];
    return [view(b.op('Range', scalars, {}, { shape, dtype })[0] as Value)];
  });
  return numbers as tf.Tensor;
}

/** The largest number that a scalar can be, as far as its computation shows; many, if it does not. */
function boundOf({ data, node }: Value): number {
  if (data) return Number(data[0]);
  const bounds = (from: number): number[] =>
    (node?.inputs ?? []).slice(from).map((v) => (v ? boundOf(v) : Number.POSITIVE_INFINITY));
  if (node?.op === 'Min') return Math.min(...bounds(0));
  if (node?.op === 'Cast' || node?.op === 'Reshape') return bounds(0)[0] as number;
  // A choice between a number and its bound.
  if (node?.op === 'Where') return Math.min(...bounds(1));
  return Number.POSITIVE_INFINITY;
}
