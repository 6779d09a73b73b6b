/** Arithmetic that the steps share. */
import type { Tensors } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';
import { mapRecord } from '../records.js';

/** Maps pixels from 0 … 255 to low … high. */
export const fromPixels = (
  pixels: tf.Tensor,
  [low, high]: readonly [number, number],
): tf.Tensor => {
  const scaled = tf.mul(pixels, (high - low) / 255);
  return low === 0 ? scaled : tf.add(scaled, low);
};

/** Batch k: the rows from k · size up to (k + 1) · size. */
export function sliceBatch<T extends tf.Tensor | undefined>(x: T, k: number, size: number): T {
  if (!x || x.shape[0] === size) return x;
  return tf.slice(x, [k * size], [size]) as T;
}

/** A moving average: keep · old + (1 − keep) · now, for each tensor. */
export function moveTowards(old: Tensors, now: Tensors, keep: number | tf.Tensor): Tensors {
  const rest = typeof keep === 'number' ? 1 - keep : tf.sub(1, keep);
  return mapRecord(old, (before, name) =>
    tf.add(tf.mul(before, keep), tf.mul(now[name] as tf.Tensor, rest)),
  );
}
