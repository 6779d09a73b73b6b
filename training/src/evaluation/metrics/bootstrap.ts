/** Confidence intervals of measured values. */
import { stream } from '@gpn/runtime';
import { average } from './rows.js';

/** A 95 % confidence interval. */
export type Interval = readonly [low: number, high: number];

/** The number of resamples (200 by default) and the seed of their draw (0 by default). */
export interface BootstrapOptions {
  readonly resamples?: number;
  readonly seed?: number;
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
  { resamples = 200, seed = 0 }: BootstrapOptions = {},
): Interval {
  const random = stream(seed, 'bootstrap');
  const value = statistic(allGroups(groups));
  const found = Array.from({ length: resamples }, () => statistic(random.below(groups, groups)));
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

/** The confidence interval of a mean. */
export function meanInterval(values: ArrayLike<number>, options: BootstrapOptions = {}): Interval {
  const groups = groupCount(values.length);
  const sums = Array.from({ length: groups }, (_, g) => {
    const [from, to] = groupRange(g, groups, values.length);
    let sum = 0;
    for (let i = from; i < to; i++) sum += values[i] as number;
    return { sum, count: to - from };
  });
  return bootstrap(
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
}
