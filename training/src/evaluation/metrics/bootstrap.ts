/** Confidence intervals of measured values. */
import { stream } from '@gpn/runtime';
import { average } from './rows.js';

/** A 95 % confidence interval. */
export type Interval = readonly [low: number, high: number];

/** How to draw resamples. */
export interface BootstrapOptions {
  /** Their number; 200 by default. */
  readonly resamples?: number;
  /** 0 by default. */
  readonly seed?: number;
  /** Called after each of them. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * A 95 % confidence interval by the bootstrap (Efron 1979) over groups: the statistic is computed again
 * for many samples of groups, drawn with replacement. Groups of images are used instead of single
 * images because the sums of each group can be computed once, which makes resamples cheap. Groups of
 * independent images are independent too.
 *
 * The percentiles are corrected by the average bias of the resampled values: a Fréchet distance, for
 * example, is larger if there are fewer different images.
 *
 * @param groups number of groups
 * @param statistic of the chosen groups, which may repeat
 */
export function bootstrap(
  groups: number,
  statistic: (chosen: Uint32Array) => number,
  { resamples = 200, seed = 0, onProgress }: BootstrapOptions = {},
): Interval {
  const random = stream(seed, 'bootstrap');
  const value = statistic(allGroups(groups));
  const found = Array.from({ length: resamples }, (_, k) => {
    const resampled = statistic(random.below(groups, groups));
    onProgress?.(k + 1, resamples);
    return resampled;
  });
  const bias = average(found) - value;
  const sorted = found.sort((a, b) => a - b);
  return [quantile(sorted, 0.025) - bias, quantile(sorted, 0.975) - bias];
}

/** The quantile `q` (0 to 1) of sorted values, linearly interpolated. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const below = sorted[low] as number;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return below + (at - low) * (above - below);
}

/** Number of groups for a bootstrap over images: 100, or one per image if there are fewer. */
export const groupCount = (images: number): number => Math.min(100, images);

/** Each of `groups` groups once: the choice that gives the statistic of all images. */
export const allGroups = (groups: number): Uint32Array =>
  Uint32Array.from({ length: groups }, (_, g) => g);

/** The range of images, from and to (exclusive), of group `g` of `groups`. */
export const groupRange = (g: number, groups: number, count: number): [number, number] => [
  Math.floor((g * count) / groups),
  Math.floor(((g + 1) * count) / groups),
];

/** The quantile of the standard normal distribution that leaves 2.5 % above it. */
const Z = 1.959963984540054;

/**
 * The confidence interval of a share, by Wilson (1927): within [0, 1], and not a point where all or none
 * are counted.
 *
 * @param hits a 1 for each that is counted, a 0 for the others
 */
export function shareInterval(hits: ArrayLike<number>): Interval {
  const n = hits.length;
  const share = average(hits);
  const centre = share + Z ** 2 / (2 * n);
  const half = Z * Math.sqrt((share * (1 - share)) / n + (Z / (2 * n)) ** 2);
  const bound = (x: number) => Math.min(1, Math.max(0, x / (1 + Z ** 2 / n)));
  return [bound(centre - half), bound(centre + half)];
}

/** The confidence interval of a mean, which does not leave the range of the values. */
export function meanInterval(values: ArrayLike<number>, options: BootstrapOptions = {}): Interval {
  const groups = groupCount(values.length);
  const sums = Array.from({ length: groups }, (_, g) => {
    const [from, to] = groupRange(g, groups, values.length);
    let sum = 0;
    for (let i = from; i < to; i++) sum += values[i] as number;
    return { sum, count: to - from };
  });
  const [low, high] = bootstrap(
    groups,
    (chosen) => {
      let [sum, count] = [0, 0];
      for (const g of chosen) {
        const group = sums[g] as { sum: number; count: number };
        sum += group.sum;
        count += group.count;
      }
      return sum / count;
    },
    options,
  );
  let [least, most] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i] as number);
    most = Math.max(most, values[i] as number);
  }
  return [Math.max(least, low), Math.min(most, high)];
}
