/** Small arithmetic that steps share. */
import type { Tensors } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';

/** Pixels 0 to 255 as numbers from `low` to `high`. */
export const fromPixels = (
  pixels: tf.Tensor,
  [low, high]: readonly [number, number],
): tf.Tensor => {
  const scaled = tf.mul(pixels, (high - low) / 255);
  return low === 0 ? scaled : tf.add(scaled, low);
};

/** Rows k · size to (k + 1) · size. */
export function sliceBatch<T extends tf.Tensor | undefined>(x: T, k: number, size: number): T {
  if (!x || x.shape[0] === size) return x;
  return tf.slice(x, [k * size], [size]) as T;
}

/** `keep` of the old values and the rest of the new ones. */
export const moveTowards = (old: Tensors, now: Tensors, keep: number): Tensors =>
  Object.fromEntries(
    Object.entries(old).map(([name, before]) => [
      name,
      tf.add(tf.mul(before, keep), tf.mul(now[name] as tf.Tensor, 1 - keep)),
    ]),
  );
