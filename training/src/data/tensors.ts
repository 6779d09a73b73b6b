/** Tensors in the form in which an engine is fed. */
import type { TensorData } from '@gpn/runtime';

/** A float32 tensor. */
export const floats = (shape: readonly number[], data: Float32Array): TensorData => ({
  dtype: 'float32',
  shape,
  data,
});

/** A uint8 tensor of pixels, 0 to 255. */
export const pixels = (shape: readonly number[], data: Uint8Array): TensorData => ({
  dtype: 'uint8',
  shape,
  data,
});

/** One-hot rows of class numbers, float32 [labels, classes]. */
export function oneHot(labels: ArrayLike<number>, classes: number): TensorData {
  const data = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) data[i * classes + (labels[i] as number)] = 1;
  return floats([labels.length, classes], data);
}
