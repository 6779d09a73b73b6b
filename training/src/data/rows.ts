/** Rows of bytes in memory. */

/** Copies the rows of `size` bytes at `indices`, one after the other. */
export function gather(rows: Uint8Array, size: number, indices: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = (indices[i] as number) * size;
    out.set(rows.subarray(from, from + size), i * size);
  }
  return out;
}
