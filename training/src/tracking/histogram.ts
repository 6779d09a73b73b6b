/** How many values lie in each of some ranges that follow one another. */
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

/** As many as TensorBoard shows. */
const RANGES = 30;

/**
 * The histogram of numbers over ranges of equal width; a single one where all are equal. What is no
 * finite number is left out, and with nothing left there is no histogram.
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
