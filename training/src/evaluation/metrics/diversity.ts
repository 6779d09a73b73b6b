/** Metrics of variety that need nothing but the images, or their features, themselves. */
import { stream } from '@gpn/runtime';
import type { Rows } from './rows.js';

/**
 * The distance between two images of the set, as many times as it has images: pairs that are drawn
 * from the seed. Their mean falls towards 0 as a generator collapses.
 */
export function pairDistances({ data, count, size }: Rows, seed = 0): Float32Array {
  const order = stream(seed, 'pairs').permutation(count);
  return Float32Array.from({ length: count }, (_, k) => {
    // Neighbours in a random order: every image is in two pairs, none is with itself.
    const [a, b] = [order[k] as number, order[(k + 1) % count] as number];
    let sum = 0;
    for (let i = 0; i < size; i++) {
      sum += ((data[a * size + i] as number) - (data[b * size + i] as number)) ** 2;
    }
    return Math.sqrt(sum);
  });
}

/**
 * The mean over pixels of the standard deviation over images (over n): the measure of collapse that
 * small GANs are often watched by, usually of 200 images.
 */
export function pixelDeviation({ data, count, size }: Rows): number {
  let sum = 0;
  for (let i = 0; i < size; i++) {
    let [mean, squares] = [0, 0];
    for (let k = 0; k < count; k++) {
      const x = data[k * size + i] as number;
      // Welford's update, which loses no digits where the variance is small.
      const delta = x - mean;
      mean += delta / (k + 1);
      squares += delta * (x - mean);
    }
    sum += Math.sqrt(squares / count);
  }
  return sum / size;
}
