/** The number of values in each of several adjacent ranges. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** The upper ends of the ranges; each begins where the one before it ends, the first at `min`. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/** The number of ranges that TensorBoard shows. */
const RANGES = 30;

/**
 * The histogram of numbers over ranges of equal width, or over one range if all are equal. Values that
 * are not finite are ignored; undefined if no other values exist.
 */
export function histogramOf(values: ArrayLike<number>): Histogram | undefined {
  let [min, max, count, sum, sumOfSquares] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const x = values[i] as number;
    if (!Number.isFinite(x)) continue;
    min = Math.min(min, x);
    max = Math.max(max, x);
    count++;
    sum += x;
    sumOfSquares += x * x;
  }
  if (count === 0) return undefined;
  const ranges = min === max ? 1 : RANGES;
  const width = (max - min) / ranges;
  const counts = new Array<number>(ranges).fill(0);
  for (let i = 0; i < values.length; i++) {
    const x = values[i] as number;
    if (!Number.isFinite(x)) continue;
    const range = width > 0 ? Math.min(ranges - 1, Math.floor((x - min) / width)) : 0;
    counts[range] = (counts[range] as number) + 1;
  }
  const limits = counts.map((_, i) => (i === ranges - 1 ? max : min + (i + 1) * width));
  return { min, max, count, sum, sumOfSquares, limits, counts };
}
