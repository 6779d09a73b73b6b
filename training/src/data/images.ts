/** Images in memory: choosing, sharing and naming them. */
import { createHash } from 'node:crypto';
import type { Dataset, Images } from './types.js';

/** The same, with its images in memory that threads share: what is sent to one is not copied. */
export function shareImages(data: Dataset): Dataset {
  if (data.images.buffer instanceof SharedArrayBuffer) return data;
  const images = new Uint8Array(new SharedArrayBuffer(data.images.length));
  images.set(data.images);
  return { ...data, images };
}

/** Rows of `size` bytes, at `indices`, one after the other. */
export function gather(rows: Uint8Array, size: number, indices: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = (indices[i] as number) * size;
    out.set(rows.subarray(from, from + size), i * size);
  }
  return out;
}

/**
 * Which images these are: SHA-256, in hex, of the JSON text `[count,height,width,channels]`, the
 * pixels, and the labels if there are any. Names don't count.
 */
export function hashImages(data: Images): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([data.count, data.height, data.width, data.channels]));
  hash.update(data.images);
  if (data.labels) hash.update(data.labels);
  return hash.digest('hex');
}
