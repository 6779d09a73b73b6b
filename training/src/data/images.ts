/** Images in memory or in a file: selecting, sharing and hashing them. */
import { createHash } from 'node:crypto';
import { UserError } from '@gpn/runtime';
import { rowsAt } from './rows.js';
import type { Dataset, Images, Pictures } from './types.js';

/** The same data set with its images in shared memory, so that threads need no copies. */
export function shareImages(data: Dataset): Dataset {
  if (data.store || data.images.buffer instanceof SharedArrayBuffer) return data;
  const images = new Uint8Array(new SharedArrayBuffer(data.images.length));
  images.set(data.images);
  return { ...data, images };
}

/** Bytes of a store that are hashed at once. */
const PIECE = 2 ** 24;

/** All pixels, in pieces. */
function* pieces(data: Pictures): Generator<Uint8Array> {
  if (!data.store) yield data.images;
  else {
    const step = Math.max(1, Math.floor(PIECE / (data.height * data.width * data.channels)));
    for (let at = 0; at < data.count; at += step) {
      const length = Math.min(step, data.count - at);
      yield rowsAt(
        data,
        Uint32Array.from({ length }, (_, k) => at + k),
      );
    }
  }
}

/**
 * The hash that identifies images: SHA-256, in hex, of the JSON text `[count,height,width,channels]`,
 * the pixels, and the labels if there are any. Names do not affect it.
 */
export function hashImages(data: Images): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([data.count, data.height, data.width, data.channels]));
  for (const piece of pieces(data)) hash.update(piece);
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
