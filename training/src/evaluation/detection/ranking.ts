/**
 * How well scores rank what is anomalous before what is normal. All measures here come from one curve,
 * and scores that are equal are one point of it.
 */
import { regionsOf } from '@gpn/runtime';

/** Shares found at each distinct score, from the highest score to the lowest; both start at 0. */
export interface Curve {
  /** Of the normal items, those with at least this score. */
  readonly falsePositives: Float64Array;
  /** Of the anomalous items' weights, those with at least this score. */
  readonly truePositives: Float64Array;
  /** Of the items with at least this score, the anomalous ones; by weight. */
  readonly precision: Float64Array;
}

/**
 * The receiver operating characteristic.
 * @param scores higher for what is more suspicious
 * @param weights of each item: 0 for a normal one, by default 1 for an anomalous one
 * @throws RangeError if all items are normal, all are anomalous, or a score is not a number
 */
export function rocCurve(scores: ArrayLike<number>, weights: ArrayLike<number>): Curve {
  const order = Uint32Array.from({ length: scores.length }, (_, k) => k);
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number));
  let [normal, anomalous] = [0, 0];
  for (let k = 0; k < scores.length; k++) {
    if (Number.isNaN(scores[k])) throw new RangeError(`score ${k} is not a number`);
    if (weights[k]) anomalous += weights[k] as number;
    else normal++;
  }
  if (!normal || !anomalous) throw new RangeError('a curve needs normal and anomalous items');
  const points: [number, number, number][] = [[0, 0, 1]];
  let [wrong, right] = [0, 0];
  for (let at = 0; at < order.length; ) {
    const score = scores[order[at] as number];
    for (; at < order.length && scores[order[at] as number] === score; at++) {
      const weight = weights[order[at] as number] as number;
      if (weight) right += weight;
      else wrong++;
    }
    points.push([wrong / normal, right / anomalous, right / (right + wrong)]);
  }
  const column = (c: 0 | 1 | 2) => Float64Array.from(points, (point) => point[c]);
  return { falsePositives: column(0), truePositives: column(1), precision: column(2) };
}

/**
 * The area under a curve up to a share of false positives, divided by that share: in [0, 1]. Points
 * are joined by lines.
 */
export function areaUnder({ falsePositives: x, truePositives: y }: Curve, limit = 1): number {
  let area = 0;
  for (let k = 1; k < x.length; k++) {
    const [from, to] = [x[k - 1] as number, x[k] as number];
    const [low, high] = [y[k - 1] as number, y[k] as number];
    if (to <= limit) area += ((to - from) * (low + high)) / 2;
    else {
      const at = low + ((high - low) * (limit - from)) / (to - from);
      return (area + ((limit - from) * (low + at)) / 2) / limit;
    }
  }
  return area / limit;
}

/** AUROC: how likely an anomalous item has a higher score than a normal one. */
export const auroc = (scores: ArrayLike<number>, anomalous: ArrayLike<number>): number =>
  areaUnder(rocCurve(scores, anomalous));

/** Average precision: the mean of the precisions at each score, weighted by the gain in recall. */
export function averagePrecision(scores: ArrayLike<number>, anomalous: ArrayLike<number>): number {
  const { precision, truePositives } = rocCurve(scores, anomalous);
  let sum = 0;
  for (let k = 1; k < precision.length; k++) {
    const gain = (truePositives[k] as number) - (truePositives[k - 1] as number);
    sum += gain * (precision[k] as number);
  }
  return sum;
}

/** The score map of a picture and its true mask, [height, width] each. */
export interface ScoredMask {
  readonly width: number;
  readonly scores: Float32Array;
  /** Not 0 where a pixel is anomalous. */
  readonly mask: Uint8Array;
}

/** The false positive rate up to which Bergmann et al. integrate. */
const PRO_LIMIT = 0.3;

/**
 * AUPRO, the area under the per-region overlap (Bergmann et al. 2021): like the AUROC of pixels, but each
 * connected region of the masks counts the same, however large it is, and only up to 30 % of false
 * positives.
 */
export function aupro(pictures: readonly ScoredMask[], limit = PRO_LIMIT): number {
  return areaUnder(rocCurve(scoresOf(pictures), regionWeights(pictures)), limit);
}

/** The receiver operating characteristic of all pixels of all pictures. */
export const pixelCurve = (pictures: readonly ScoredMask[]): Curve =>
  rocCurve(
    scoresOf(pictures),
    joined(pictures, ({ mask }) => mask, Uint8Array),
  );

/** The AUROC of all pixels of all pictures. */
export const pixelAuroc = (pictures: readonly ScoredMask[]): number =>
  areaUnder(pixelCurve(pictures));

const scoresOf = (pictures: readonly ScoredMask[]) =>
  joined(pictures, ({ scores }) => scores, Float32Array);

/** One by the size of its region for each pixel of one. */
function regionWeights(pictures: readonly ScoredMask[]): Float64Array {
  return joined(
    pictures,
    ({ mask, width }) => {
      const { labels, count } = regionsOf(mask, width);
      const sizes = new Float64Array(count + 1);
      for (const label of labels) sizes[label] = (sizes[label] as number) + 1;
      return Float64Array.from(labels, (label) => (label ? 1 / (sizes[label] as number) : 0));
    },
    Float64Array,
  );
}

function joined<T extends Uint8Array | Float32Array | Float64Array>(
  pictures: readonly ScoredMask[],
  part: (picture: ScoredMask) => T,
  Values: new (length: number) => T,
): T {
  const parts = pictures.map(part);
  const all = new Values(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const one of parts) {
    all.set(one, at);
    at += one.length;
  }
  return all;
}
