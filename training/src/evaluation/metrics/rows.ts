/** The input of all metrics: sets of vectors, which are features or pixels. */

/** `count` vectors of `size` numbers, one after the other. */
export interface Rows {
  readonly data: Float32Array | Float64Array;
  readonly count: number;
  readonly size: number;
}

/** Numbers as rows of `size`. @throws RangeError if they are empty or not a multiple of `size` */
export function rowsOf(data: Rows['data'], size: number): Rows {
  const count = data.length / size;
  if (!Number.isInteger(count) || count === 0) {
    throw new RangeError(`${data.length} numbers are not rows of ${size}`);
  }
  return { data, count, size };
}

/** The rows from `from` up to `to` (exclusive), without a copy. */
export const slice = ({ data, size }: Rows, from: number, to: number): Rows =>
  rowsOf(data.subarray(from * size, to * size), size);

/** Copies the rows at these indices. */
export function pick({ data, size }: Rows, places: ArrayLike<number>): Rows {
  const out = new Float32Array(places.length * size);
  for (let i = 0; i < places.length; i++) {
    const from = (places[i] as number) * size;
    out.set(data.subarray(from, from + size), i * size);
  }
  return rowsOf(out, size);
}

/** The mean of all rows. */
export function meanOf({ data, count, size }: Rows): Float64Array {
  const mean = new Float64Array(size);
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < size; i++) mean[i] = (mean[i] as number) + (data[k * size + i] as number);
  }
  return mean.map((sum) => sum / count);
}

/** Checks that two sets have rows of the same size. @throws RangeError if they do not */
export function sameSize(a: Rows, b: Rows): void {
  if (a.size === b.size) return;
  throw new RangeError(`rows of ${a.size} numbers cannot be compared with rows of ${b.size}`);
}

/** The mean of numbers; 0 if there are none. */
export const average = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return values.length > 0 ? sum / values.length : 0;
};
