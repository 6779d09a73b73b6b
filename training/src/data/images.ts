/** Images in memory: selecting, sharing and hashing them. */
import { createHash } from 'node:crypto';
import { UserError } from '@gpn/runtime';
import type { Dataset, Images } from './types.js';

/** The same data set with its images in shared memory, so that threads need no copies. */
export function shareImages(data: Dataset): Dataset {
  if (data.images.buffer instanceof SharedArrayBuffer) return data;
  const images = new Uint8Array(new SharedArrayBuffer(data.images.length));
  images.set(data.images);
  return { ...data, images };
}

/** Copies the rows of `size` bytes at `indices`, one after the other. */
export function gather(rows: Uint8Array, size: number, indices: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = (indices[i] as number) * size;
    out.set(rows.subarray(from, from + size), i * size);
  }
  return out;
}

/**
 * The hash that identifies images: SHA-256, in hex, of the JSON text `[count,height,width,channels]`,
 * the pixels, and the labels if there are any. Names do not affect it.
 */
export function hashImages(data: Images): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([data.count, data.height, data.width, data.channels]));
  hash.update(data.images);
  if (data.labels) hash.update(data.labels);
  return hash.digest('hex');
}

/** Allocates shared memory. @throws UserError if there is not enough memory */
export function allocate(bytes: number, folder: string): Uint8Array<SharedArrayBuffer> {
  try {
    return new Uint8Array(new SharedArrayBuffer(bytes));
  } catch {
    const gigabytes = (bytes / 2 ** 30).toFixed(1);
    throw new UserError(
      `The images of ${folder} need ${gigabytes} GiB of memory at the recipe's size; make data.height and data.width smaller, or give fewer images.`,
    );
  }
}
