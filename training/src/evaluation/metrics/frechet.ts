/** The Fréchet distance, computed in float64. */
import {
  allGroups,
  type BootstrapOptions,
  bootstrap,
  groupCount,
  groupRange,
  type Interval,
} from './bootstrap.js';
import { meanOf, type Rows, sameSize } from './rows.js';
import { eigenvalues, factorOf, type Symmetric, sandwich } from './symmetric.js';

/** The mean and the covariance (over n − 1) of rows. */
export interface Moments {
  readonly count: number;
  readonly mean: Float64Array;
  /** [size, size]. */
  readonly covariance: Float64Array;
}

/** Additive statistics of rows relative to a centre: their sum and the sum of their products. */
interface Sums {
  count: number;
  readonly sum: Float64Array;
  readonly products: Float64Array;
}

const noSums = (size: number): Sums => ({
  count: 0,
  sum: new Float64Array(size),
  products: new Float64Array(size * size),
});

/** Fills only the upper triangle of the products. A centre near the mean avoids cancellation. */
function sumsOf({ data, size }: Rows, from: number, to: number, centre: Float64Array): Sums {
  const { sum, products } = noSums(size);
  const x = new Float64Array(size);
  for (let k = from; k < to; k++) {
    for (let i = 0; i < size; i++) x[i] = (data[k * size + i] as number) - (centre[i] as number);
    for (let i = 0; i < size; i++) {
      const xi = x[i] as number;
      sum[i] = (sum[i] as number) + xi;
      if (xi === 0) continue;
      const at = i * size;
      for (let j = i; j < size; j++) {
        products[at + j] = (products[at + j] as number) + xi * (x[j] as number);
      }
    }
  }
  return { count: to - from, sum, products };
}

function add(into: Sums, { count, sum, products }: Sums): void {
  into.count += count;
  for (let i = 0; i < sum.length; i++) into.sum[i] = (into.sum[i] as number) + (sum[i] as number);
  for (let i = 0; i < products.length; i++) {
    into.products[i] = (into.products[i] as number) + (products[i] as number);
  }
}

function momentsFrom({ count, sum, products }: Sums, centre: Float64Array): Moments {
  const size = sum.length;
  const covariance = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      const moved = ((sum[i] as number) * (sum[j] as number)) / count;
      const value = ((products[i * size + j] as number) - moved) / (count - 1);
      covariance[i * size + j] = value;
      covariance[j * size + i] = value;
    }
  }
  return { count, mean: sum.map((s, i) => s / count + (centre[i] as number)), covariance };
}

/** The moments of rows. @throws RangeError if there are fewer than two rows */
export function momentsOf(features: Rows): Moments {
  if (features.count < 2) throw new RangeError('a covariance takes at least two rows');
  const centre = meanOf(features);
  return momentsFrom(sumsOf(features, 0, features.count, centre), centre);
}

/**
 * Whether there are too few rows for a covariance of full rank. The distance is still defined, and is
 * computed without regularisation, but its bias is large.
 */
export const isSingular = ({ count, mean }: Moments): boolean => count <= mean.length;

/**
 * The squared Fréchet distance between two normal distributions (Dowson & Landau 1982; of features,
 * Heusel et al. 2017): |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁^½ Σ₂ Σ₁^½)^½). The trace of the last root is
 * the sum of the roots of the eigenvalues of F Σ₂ Fᵀ, for any F with Σ₁ = Fᵀ F. Eigenvalues that are
 * negative by rounding, as those of a singular covariance may be, are set to 0.
 *
 * @returns 0 or more, in squared units of the features; 0 for equal distributions
 * @throws RangeError if the numbers of features differ
 */
export const frechetDistance = (a: Moments, b: Moments): number => distanceFrom(a)(b);

/** Returns the distance from one distribution to any other; what depends on the first is kept. */
function distanceFrom(a: Moments): (b: Moments) => number {
  const size = a.mean.length;
  const factor = factorOf(toMatrix(a));
  const trace = (m: Moments) =>
    m.mean.reduce((t, _, i) => t + (m.covariance[i * (size + 1)] as number), 0);
  return (b) => {
    if (b.mean.length !== size) {
      throw new RangeError(`moments of ${size} and of ${b.mean.length} features`);
    }
    const between = a.mean.reduce((d, x, i) => d + (x - (b.mean[i] as number)) ** 2, 0);
    const found = eigenvalues(sandwich(factor, toMatrix(b)));
    const roots = found.reduce((sum, x) => sum + Math.sqrt(Math.max(0, x)), 0);
    return Math.max(0, between + trace(a) + trace(b) - 2 * roots);
  };
}

const toMatrix = ({ mean, covariance }: Moments): Symmetric => ({
  size: mean.length,
  data: covariance,
});

/** A Fréchet distance with its confidence interval. */
export interface FrechetScore {
  readonly value: number;
  /** Undefined for more than 512 features, because forty resamples would take minutes. */
  readonly interval?: Interval;
}

const MOST_WITH_INTERVAL = 512;

/** The Fréchet distance of generated features from real ones, with its confidence interval. */
export const frechetWithInterval = (
  real: Rows,
  fake: Rows,
  options: BootstrapOptions = {},
): FrechetScore => frechetFrom(real)(fake, options);

/**
 * Returns a function that computes the distance of generated features from these real ones, with a
 * confidence interval over the draw of the generated images; the real ones are fixed.
 */
export function frechetFrom(
  real: Rows,
): (fake: Rows, options?: BootstrapOptions & { intervals?: boolean }) => FrechetScore {
  const distance = distanceFrom(momentsOf(real));
  return (fake, { intervals = true, ...options } = {}) => {
    sameSize(real, fake);
    if (!intervals || fake.size > MOST_WITH_INTERVAL) return { value: distance(momentsOf(fake)) };
    const centre = meanOf(fake);
    const groups = groupCount(fake.count);
    const sums = Array.from({ length: groups }, (_, g) =>
      sumsOf(fake, ...groupRange(g, groups, fake.count), centre),
    );
    const statistic = (chosen: Uint32Array): number => {
      const all = noSums(fake.size);
      for (const g of chosen) add(all, sums[g] as Sums);
      return distance(momentsFrom(all, centre));
    };
    const value = statistic(allGroups(groups));
    // Matrix roots are slow; forty resamples give the spread to about a tenth.
    return { value, interval: bootstrap(groups, statistic, { resamples: 40, ...options }) };
  };
}
