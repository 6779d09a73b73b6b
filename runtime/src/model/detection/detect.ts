/** What does not belong into a picture, by a calibrated discriminator of fragments. */
import { UserError } from '../../errors.js';
import type { Calibration, ModelInfo } from '../../format/model-info.js';
import type { Picture, Rectangle } from '../../format/pictures/picture.js';
import { checkedCalibration } from './calibration.js';
import { pValue, suspicionOf } from './p-values.js';
import { regionsOf } from './regions.js';
import type { ScoreMap, Scores } from './scores.js';
import { suspicionMap } from './suspicion.js';

/** A connected region of suspicious pixels: the rectangle around it. */
export interface DetectedRegion extends Rectangle {
  /** The p-value of a picture whose most suspicious place is the one in this region. */
  p: number;
  /** The number of its pixels. */
  pixels: number;
}

/** What does not belong into a picture. */
export interface Detection {
  width: number;
  height: number;
  /**
   * How rare so suspicious a picture is among normal ones: of normal pictures, a share of at most p has
   * a p-value of p or less. It is that of its most suspicious place.
   */
  p: number;
  /** The smallest p-value that this calibration can give. */
  least: number;
  threshold: number;
  /** The suspicion of each pixel, by the fragments that hold it; [height, width]. */
  suspicion: Float32Array;
  /** 1 where a normal picture has a pixel so suspicious with a probability of at most `threshold`; [height, width]. */
  mask: Uint8Array;
  /** The regions of the mask, the rarest first. */
  regions: DetectedRegion[];
  /** The scores of the fragments. */
  map: ScoreMap;
}

/** @throws UserError if the model is not calibrated, or its calibration is not valid */
export function calibrationOf({ name, calibration }: ModelInfo): Calibration {
  if (calibration !== undefined) return checkedCalibration(calibration, name);
  throw new UserError(
    `${name} has no p-values, because it is not calibrated: run gpn-cli calibrate with normal pictures.`,
  );
}

/**
 * The threshold of a detection: the given one, or 0.01 or the smallest that the calibration allows.
 *
 * @throws UserError if it is not in (0, 1], or no p-value can be so small
 */
export function thresholdOf(info: ModelInfo, given?: number): number {
  const { pictures } = calibrationOf(info).data;
  const least = 1 / (pictures + 1);
  if (given === undefined) return Math.max(0.01, least);
  if (!(given > 0 && given <= 1)) {
    throw new UserError(`The threshold must be above 0 and at most 1, not ${given}.`);
  }
  if (given >= least) return given;
  throw new UserError(
    `The threshold ${given} cannot be met: ${info.name} is calibrated with ${pictures} pictures, so its ` +
      `smallest p-value is 1/${pictures + 1}. Calibrate it with at least ${Math.ceil(1 / given) - 1}.`,
  );
}

/** The p-values of scores of single fragments, or of whole pictures if the model takes those. */
export function pValuesOf(info: ModelInfo, { meaning, values }: Scores): Float64Array {
  const { parts } = calibrationOf(info);
  return Float64Array.from(values, (score) => pValue(parts, suspicionOf(meaning, score)));
}

/** What `DiscriminatorModel.detect` does; here, because most pages do not need it. */
export async function detect(
  info: ModelInfo,
  mapOf: () => Promise<ScoreMap>,
  picture: Picture,
  { threshold }: { threshold?: number },
): Promise<Detection> {
  thresholdOf(info, threshold);
  return detectionOf(info, await mapOf(), picture, threshold);
}

/**
 * The detection in a picture, by its score map.
 *
 * @throws UserError as `DiscriminatorModel.detect` does
 */
export function detectionOf(
  info: ModelInfo,
  map: ScoreMap,
  { width, height }: { width: number; height: number },
  given?: number,
): Detection {
  const { worst } = calibrationOf(info);
  const threshold = thresholdOf(info, given);
  if (!worst || !info.fragment) {
    throw new UserError(
      `${info.name} scores whole pictures, so it finds no places: only discriminators of fragments do.`,
    );
  }
  const suspicion = suspicionMap(map, { width, height });
  let most = Number.NEGATIVE_INFINITY;
  for (const value of suspicion) most = Math.max(most, value);
  // p-values fall with suspicion: most pixels are less suspicious than all normal pictures' worst places.
  const [mask, least] = [new Uint8Array(suspicion.length), 1 / (worst.count + 1)];
  const lowest = worst.suspicions.at(-1) as number;
  for (let k = 0; k < mask.length; k++) {
    const value = suspicion[k] as number;
    if ((value >= lowest || threshold >= 1) && pValue(worst, value) <= threshold) mask[k] = 1;
  }
  const regions = boxes(mask, suspicion, width, (value) => pValue(worst, value));
  return { width, height, p: pValue(worst, most), least, threshold, suspicion, mask, regions, map };
}

function boxes(
  mask: Uint8Array,
  suspicion: Float32Array,
  width: number,
  p: (suspicion: number) => number,
): DetectedRegion[] {
  const { labels, count } = regionsOf(mask, width);
  const edges = Array.from({ length: count }, () => ({
    ...{ left: width, top: mask.length, right: 0, bottom: 0 },
    ...{ most: Number.NEGATIVE_INFINITY, pixels: 0 },
  }));
  labels.forEach((label, k) => {
    if (label === 0) return;
    const edge = edges[label - 1] as (typeof edges)[number];
    const [x, y] = [k % width, Math.floor(k / width)];
    edge.left = Math.min(edge.left, x);
    edge.right = Math.max(edge.right, x + 1);
    edge.top = Math.min(edge.top, y);
    edge.bottom = Math.max(edge.bottom, y + 1);
    edge.most = Math.max(edge.most, suspicion[k] as number);
    edge.pixels++;
  });
  return edges
    .sort((a, b) => b.most - a.most)
    .map(({ left, top, right, bottom, most, pixels }) => ({
      ...{ x: left, y: top, width: right - left, height: bottom - top },
      ...{ p: p(most), pixels },
    }));
}

/** From what is just rare enough to what is rarer than all: yellow to red. */
const [RARE, RAREST] = [
  [255, 214, 0],
  [255, 0, 70],
] as const;

/**
 * A detection as a picture: [height, width, 4], RGBA from 0 to 255. It is transparent where nothing was
 * found.
 */
export function highlights(info: ModelInfo, detection: Detection): Uint8ClampedArray {
  const { worst } = calibrationOf(info);
  const { mask, suspicion, threshold, least } = detection;
  const rgba = new Uint8ClampedArray(4 * mask.length);
  const range = Math.log(threshold / least) || 1;
  mask.forEach((inside, k) => {
    if (!inside || !worst) return;
    const p = pValue(worst, suspicion[k] as number);
    const share = threshold > least ? Math.log(threshold / p) / range : 1;
    for (let c = 0; c < 3; c++) {
      rgba[4 * k + c] = (RARE[c] as number) + share * ((RAREST[c] as number) - (RARE[c] as number));
    }
    rgba[4 * k + 3] = 255;
  });
  return rgba;
}
