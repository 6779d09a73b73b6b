/** Tensors as an engine is fed them. */
import type { TensorData } from '@gpn/runtime';

/** Numbers of float32. */
export const floats = (shape: readonly number[], data: Float32Array): TensorData => ({
  dtype: 'float32',
  shape,
  data,
});

/** Pixels, 0 to 255. */
export const pixels = (shape: readonly number[], data: Uint8Array): TensorData => ({
  dtype: 'uint8',
  shape,
  data,
});

/** Classes, given by number, as one-hot rows: [labels, classes]. */
export function oneHot(labels: ArrayLike<number>, classes: number): TensorData {
  const data = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) data[i * classes + (labels[i] as number)] = 1;
  return floats([labels.length, classes], data);
}
