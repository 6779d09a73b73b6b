/** Metrics of the classes that a classifier assigns. */
import { assign } from './assignment.js';
import {
  allGroups,
  type BootstrapOptions,
  bootstrap,
  groupCount,
  groupRange,
  type Interval,
} from './bootstrap.js';
import { type Rows, rowsOf } from './rows.js';

/** The softmax of each row of logits. */
export function probabilitiesOf({ data, count, size }: Rows): Rows {
  const out = new Float64Array(count * size);
  for (let k = 0; k < count; k++) {
    const row = data.subarray(k * size, (k + 1) * size);
    let most = Number.NEGATIVE_INFINITY;
    for (const x of row) most = Math.max(most, x);
    let sum = 0;
    for (let c = 0; c < size; c++) sum += Math.exp((row[c] as number) - most);
    for (let c = 0; c < size; c++) {
      out[k * size + c] = Math.exp((row[c] as number) - most) / sum;
    }
  }
  return rowsOf(out, size);
}

/** The class with the largest logit in each row; the first if there are several. */
export function classesOf({ data, count, size }: Rows): Uint8Array {
  return Uint8Array.from({ length: count }, (_, k) => {
    let best = 0;
    for (let c = 1; c < size; c++) {
      if ((data[k * size + c] as number) > (data[k * size + best] as number)) best = c;
    }
    return best;
  });
}

/**
 * The classifier score (the inception score of Salimans et al. 2016 with any classifier): exp of the
 * average over images of KL(p(y|x) ‖ p(y)), over all images at once. It ranges from 1, if all images
 * are classified alike, to the number of classes. Real images score less than that; a good generator
 * comes close to the score of real images.
 *
 * @param probabilities a row for each image
 */
export function classifierScore(
  probabilities: Rows,
  options: BootstrapOptions = {},
): { value: number; interval: Interval } {
  const { data, count, size } = probabilities;
  const groups = groupCount(count);
  // The average KL is a sum over images minus a term of the marginal; both can be summed by group.
  const sums = Array.from({ length: groups }, (_, g) => {
    const [from, to] = groupRange(g, groups, count);
    const marginal = new Float64Array(size);
    let sum = 0;
    for (let k = from; k < to; k++) {
      for (let c = 0; c < size; c++) {
        const p = data[k * size + c] as number;
        marginal[c] = (marginal[c] as number) + p;
        sum += pLogP(p);
      }
    }
    return { count: to - from, sum, marginal };
  });
  const statistic = (chosen: Uint32Array): number => {
    const marginal = new Float64Array(size);
    let [n, sum] = [0, 0];
    for (const g of chosen) {
      const group = sums[g] as (typeof sums)[number];
      n += group.count;
      sum += group.sum;
      group.marginal.forEach((p, c) => {
        marginal[c] = (marginal[c] as number) + p;
      });
    }
    return Math.exp(sum / n - marginal.reduce((s, p) => s + pLogP(p / n), 0));
  };
  const value = statistic(allGroups(groups));
  return { value, interval: bootstrap(groups, statistic, options) };
}

const pLogP = (p: number): number => (p > 0 ? p * Math.log(p) : 0);

/**
 * The Kullback-Leibler divergence KL(p ‖ q) = Σ p ln(p / q), in nats; infinite if p has a class that q
 * lacks. KL of generated from real classes is 0 if they are equally frequent, and ln 10 if all images
 * are of one of ten classes.
 */
export const divergence = (p: ArrayLike<number>, q: ArrayLike<number>): number =>
  Array.from(p).reduce(
    (sum, share, c) => (share > 0 ? sum + share * Math.log(share / (q[c] as number)) : sum),
    0,
  );

/** {@link divergence} of the classes of images from those of the data, with a confidence interval. */
export function classDivergence(
  labels: ArrayLike<number>,
  data: Float64Array,
  options: BootstrapOptions = {},
): { value: number; interval?: Interval } {
  const groups = groupCount(labels.length);
  const counts = Array.from({ length: groups }, (_, g) => {
    const count = new Float64Array(data.length);
    const [from, to] = groupRange(g, groups, labels.length);
    for (let k = from; k < to; k++) {
      const label = labels[k] as number;
      count[label] = (count[label] as number) + 1;
    }
    return count;
  });
  const statistic = (chosen: Uint32Array): number => {
    const sum = new Float64Array(data.length);
    for (const g of chosen) {
      counts[g]?.forEach((n, c) => {
        sum[c] = (sum[c] as number) + n;
      });
    }
    const total = sum.reduce((a, b) => a + b, 0);
    return divergence(
      sum.map((n) => n / total),
      data,
    );
  };
  const value = statistic(allGroups(groups));
  // An infinite divergence has no interval.
  return Number.isFinite(value)
    ? { value, interval: bootstrap(groups, statistic, options) }
    : { value };
}

/**
 * 1 for each image whose assigned class is the requested one, otherwise 0.
 * @throws RangeError if the lengths differ
 */
export function agreement(asked: ArrayLike<number>, judged: ArrayLike<number>): Float32Array {
  if (asked.length !== judged.length) {
    throw new RangeError(`${asked.length} classes were asked for, ${judged.length} judged`);
  }
  return Float32Array.from(asked, (label, k) => Number(label === judged[k]));
}

/**
 * The error of unsupervised categories as a classifier (InfoGAN, Chen et al. 2016, section 7.2): each
 * category is assigned one class, by the matching with the fewest errors.
 *
 * @param categories of real images, as the discriminator gives them
 * @param labels the classes of the same images
 * @returns the share of errors (0 to 1), and the class of each category
 * @throws RangeError if the lengths differ, or a category is not below `classes`
 */
export function categoryError(
  categories: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): { error: number; matching: number[] } {
  if (categories.length !== labels.length) {
    throw new RangeError(`${categories.length} categories for ${labels.length} labels`);
  }
  const missed = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let k = 0; k < labels.length; k++) {
    const row = missed[categories[k] as number];
    if (!row) throw new RangeError(`category ${categories[k]} of ${classes}`);
    row[labels[k] as number] = (row[labels[k] as number] ?? 0) - 1;
  }
  const matching = assign(missed);
  const right = matching.reduce(
    (sum, label, category) => sum - (missed[category]?.[label] ?? 0),
    0,
  );
  return { error: 1 - right / labels.length, matching };
}
