/** Parts of tensors that begin where values say: TF.js reads the values. */
import * as tf from '@tensorflow/tfjs-core';
import { isConstant } from '../../trace/backend.js';
import type { NodeDef } from './graph-def.js';

const at = (places: tf.Tensor, axis: number): tf.Tensor1D =>
  tf.slice(tf.cast(places, 'int32') as tf.Tensor1D, [axis], [1]);

/** As many elements along each axis as `sizes` says, from `begin` on; −1 are all. */
export function slicePart([x, begin, sizes]: readonly tf.Tensor[]): tf.Tensor[] {
  const [whole, from, many] = [x, begin, sizes] as [tf.Tensor, tf.Tensor, tf.Tensor];
  const counts = [...many.dataSync()];
  if (isConstant(from)) return [tf.slice(whole, [...from.dataSync()], counts)];
  const part = (t: tf.Tensor, count: number, axis: number): tf.Tensor =>
    count === -1 || count === whole.shape[axis]
      ? t
      : tf.gather(t, tf.add(tf.range(0, count, 1, 'int32'), at(from, axis)) as tf.Tensor1D, axis);
  return [counts.reduce(part, whole)];
}

const MASKS = ['begin', 'end', 'ellipsis', 'new_axis', 'shrink_axis'] as const;

/** Where it is not known, an axis is either taken whole or by one index. */
export function stridedPart(inputs: readonly tf.Tensor[], { attr = {} }: NodeDef): tf.Tensor[] {
  const [x, begin, end, strides] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const masks = MASKS.map((name) => Number((attr[`${name}_mask`] as { i?: unknown })?.i ?? 0));
  const [noBegin, noEnd, ellipsis, newAxes, shrunk] = masks as [
    number,
    number,
    number,
    number,
    number,
  ];
  const has = (mask: number, axis: number): boolean => ((mask >> axis) & 1) === 1;
  const axes = [...Array(begin.size).keys()];
  const isSimple = (axis: number): boolean =>
    has(shrunk, axis) || (has(noBegin, axis) && has(noEnd, axis));
  if (isConstant(begin) || ellipsis !== 0 || newAxes !== 0 || !axes.every(isSimple)) {
    const [from, to, by] = [begin, end, strides].map((t) => [...t.dataSync()]) as [
      number[],
      number[],
      number[],
    ];
    return [tf.stridedSlice(x, from, to, by, ...masks)];
  }
  // From the last, so that those before keep their places.
  return [
    axes.reduceRight<tf.Tensor>(
      (t, axis) => (has(shrunk, axis) ? tf.gather(t, tf.reshape(at(begin, axis), []), axis) : t),
      x,
    ),
  ];
}
