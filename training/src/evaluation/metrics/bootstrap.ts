/** How sure a measured number is. */
import { stream } from '@gpn/runtime';
import { average } from './rows.js';

export type Interval = readonly [low: number, high: number];

export interface BootstrapOptions {
  readonly resamples?: number;
  readonly seed?: number;
}

/**
 * A 95 % interval by the bootstrap (Efron 1979) over groups: the statistic is computed anew of as
 * many groups drawn with replacement, again and again. Groups instead of single images because the
 * statistic of some groups is then the sum of what was counted for each of them, which costs next to
 * nothing; images are independent, so groups of them are.
 *
 * The percentiles are moved by what the resampled values are off on average: a Fréchet distance is
 * larger the fewer different images it sees.
 *
 * @param groups how many groups there are
 * @param statistic of these groups, some of which are given more than once
 */
export function bootstrap(
  groups: number,
  statistic: (chosen: Uint32Array) => number,
  { resamples = 200, seed = 0 }: BootstrapOptions = {},
): Interval {
  const random = stream(seed, 'bootstrap');
  const value = statistic(Uint32Array.from({ length: groups }, (_, i) => i));
  const found = Array.from({ length: resamples }, () => statistic(random.below(groups, groups)));
  const bias = average(found) - value;
  const sorted = found.sort((a, b) => a - b);
  return [quantile(sorted, 0.025) - bias, quantile(sorted, 0.975) - bias];
}

/** The value below which a share `q` of the sorted values lies, between neighbours in proportion. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const below = sorted[low] as number;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return below + (at - low) * (above - below);
}

/** As many groups of images as intervals are made from, or as many as there are images. */
export const groupCount = (images: number): number => Math.min(100, images);

/** Where group `g` of `groups` lies among `count` images. */
export const groupRange = (g: number, groups: number, count: number): [number, number] => [
  Math.floor((g * count) / groups),
  Math.floor(((g + 1) * count) / groups),
];

/** The interval of a mean. */
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
