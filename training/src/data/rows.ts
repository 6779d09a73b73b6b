/** Rows of bytes: of memory, or of the images of a data set. */
import { UserError } from '@gpn/runtime';
import { readAt } from '#host';
import type { Pictures } from './types.js';

/** Copies the rows of `size` bytes at `indices`, one after the other. */
export function gather(rows: Uint8Array, size: number, indices: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = (indices[i] as number) * size;
    out.set(rows.subarray(from, from + size), i * size);
  }
  return out;
}

/** The pixels of the images at `indices`, one image after the other, from memory or from the store. */
export function rowsAt(data: Pictures, indices: ArrayLike<number>): Uint8Array {
  const size = data.height * data.width * data.channels;
  if (!data.store) return gather(data.images, size, indices);
  const { path, places } = data.store;
  const out = new Uint8Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const place = places?.[indices[i] as number] ?? (indices[i] as number);
    if (readAt(path, out, i * size, size, place * size) !== size) {
      throw new UserError(`${path} is cut short: remove it.`);
    }
  }
  return out;
}
