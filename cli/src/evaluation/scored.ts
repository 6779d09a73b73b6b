/** The score of a picture, and what a calibrated model says of it. */
import {
  type Detection,
  type Discriminator,
  detectionOf,
  type Picture,
  probability,
  type Rectangle,
  type ScoreMap,
  type ScoreMeaning,
} from '@gpn/runtime';

/** A score, and how rare it is. */
export interface Rated {
  readonly score: number;
  readonly meaning: ScoreMeaning;
  readonly probability?: number;
  /** How rare so suspicious a picture is among normal ones, if the model is calibrated. */
  readonly p?: number;
  /** Whether p is at most the threshold, if one was given. */
  readonly anomalous?: boolean;
}

/** What was computed of a picture. */
export interface Scored {
  readonly rated: Rated;
  readonly map?: ScoreMap;
  readonly detection?: Detection;
}

/** How a picture is scored. */
export interface HowScored {
  readonly labels: { readonly labels?: number };
  readonly rect?: Rectangle | undefined;
  readonly stride?: number | undefined;
  readonly threshold?: number | undefined;
  /** A map of scores, or where something does not belong, is asked for as well. */
  readonly needs?: { readonly map?: boolean; readonly detection?: boolean };
}

/** Scores with what they mean. @param p the p-values, where a map has them already */
export async function rated(
  discriminator: Discriminator,
  values: ArrayLike<number>,
  threshold: number | undefined,
  p?: ArrayLike<number>,
): Promise<Rated[]> {
  const { scores, calibration } = discriminator.info;
  const meaning = scores as ScoreMeaning;
  const known =
    p ??
    (calibration && (await discriminator.pValues({ meaning, values: Float32Array.from(values) })));
  return Array.from(values, (score, k) => {
    const real = probability(meaning, score);
    const rare = known?.[k];
    return {
      score,
      meaning,
      ...(real !== undefined && { probability: real }),
      ...(rare !== undefined && { p: rare }),
      ...(rare !== undefined && threshold !== undefined && { anomalous: rare <= threshold }),
    };
  });
}

/** Scores a picture. Of a discriminator of fragments, a whole picture has the average over its fragments. */
export async function scored(
  discriminator: Discriminator,
  picture: Picture,
  { labels, rect, stride, threshold, needs = {} }: HowScored,
): Promise<Scored> {
  const { info } = discriminator;
  const isMean = rect === undefined && info.fragment !== undefined;
  const map =
    isMean || needs.map || needs.detection
      ? await discriminator.scoreMap(picture, { ...labels, ...(stride && { stride }) })
      : undefined;
  const values = isMean
    ? [mean((map as ScoreMap).values)]
    : (rect
        ? await discriminator.scoreFragments(picture, [rect], labels)
        : await discriminator.scorePictures([picture], labels)
      ).values;
  const detection =
    info.calibration && (isMean || needs.detection)
      ? detectionOf(info, map as ScoreMap, picture, threshold)
      : undefined;
  const p = detection ? [detection.p] : undefined;
  const [first] = (await rated(discriminator, values, threshold, p)) as [Rated];
  return { rated: first, ...(map && { map }), ...(detection && { detection }) };
}

const mean = (values: Float32Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
