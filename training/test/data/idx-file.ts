/** Bytes of IDX files for tests, written from the format's description. */
export function idxFile(shape: number[], values: ArrayLike<number>, type = 0x08): Uint8Array {
  const dimensions = shape.flatMap((size) => [size >>> 24, size >>> 16, size >>> 8, size]);
  return Uint8Array.from([0, 0, type, shape.length, ...dimensions, ...Array.from(values)]);
}

/** 0, 1, 2, … modulo 251, which divides no size of an image: every row differs. */
export const ramp = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251);
