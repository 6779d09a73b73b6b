/** Metrics of variety, computed from the images or their features alone. */
import { stream } from '@gpn/runtime';
import type { Rows } from './rows.js';

/**
 * Euclidean distances between pairs of images, as many as there are images. The seed determines the
 * pairs. Their mean approaches 0 as a generator collapses.
 */
export function pairDistances({ data, count, size }: Rows, seed = 0): Float32Array {
  const order = stream(seed, 'pairs').permutation(count);
  return Float32Array.from({ length: count }, (_, k) => {
    // Neighbours in a random order: each image is in two pairs and never paired with itself.
    const [a, b] = [order[k] as number, order[(k + 1) % count] as number];
    let sum = 0;
    for (let i = 0; i < size; i++) {
      sum += ((data[a * size + i] as number) - (data[b * size + i] as number)) ** 2;
    }
    return Math.sqrt(sum);
  });
}

/**
 * The standard deviation over images (over n) of each pixel, averaged over pixels: a common measure of
 * collapse for small GANs, usually of 200 images.
 */
export function pixelDeviation({ data, count, size }: Rows): number {
  let sum = 0;
  for (let i = 0; i < size; i++) {
    let [mean, squares] = [0, 0];
    for (let k = 0; k < count; k++) {
      const x = data[k * size + i] as number;
      // Welford's update, which is accurate even if the variance is small.
      const delta = x - mean;
      mean += delta / (k + 1);
      squares += delta * (x - mean);
    }
    sum += Math.sqrt(squares / count);
  }
  return sum / size;
}
