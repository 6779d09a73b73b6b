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
