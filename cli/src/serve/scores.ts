/** Scores and maps of pictures, as responses. */
import {
  classOf,
  type Detection,
  type Discriminator,
  detectionOf,
  extent,
  heatMap,
  highlights,
  Images,
  type ModelInfo,
  type Picture,
  probability,
  type ScoreMap,
  type ScoreMeaning,
  thresholdOf,
  UserError,
} from '@gpn/runtime';
import { decode, Unreadable } from '@gpn/training/pictures';
import { overGrey, overPicture } from '../evaluation/report/overlay.js';
import type { Answer, Job } from './jobs.js';

const json = (value: unknown): Answer => ({
  type: 'application/json',
  body: new TextEncoder().encode(JSON.stringify(value)),
});

/** @param pixels the most; a larger picture is refused before it is decoded */
async function pictureOf(bytes: Uint8Array, pixels: number): Promise<Picture> {
  try {
    return (await decode(bytes, pixels)).picture;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    throw new UserError(`The picture ${error.message}.`);
  }
}

const labelsOf = (info: ModelInfo, label: string | undefined): { labels?: number } =>
  label === undefined ? {} : { labels: classOf(info, label) };

const mean = (values: Float32Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The score of each rectangle, or of the whole picture: of fragments, the average over the picture. */
export async function scoresOf(
  model: Discriminator,
  { picture: bytes, rectangles, label }: Job<'score'>,
  pixels: number,
): Promise<Answer> {
  const { info } = model;
  const labels = labelsOf(info, label);
  const picture = await pictureOf(bytes, pixels);
  const meaning = info.scores as ScoreMeaning;
  const map =
    rectangles.length === 0 && info.fragment ? await model.scoreMap(picture, labels) : undefined;
  const values = map
    ? Float32Array.of(mean(map.values))
    : rectangles.length > 0
      ? (await model.scoreFragments(picture, rectangles, labels)).values
      : (await model.scorePictures([picture], labels)).values;
  const found = map && info.calibration ? detectionOf(info, map, picture) : undefined;
  const p = !info.calibration
    ? undefined
    : found
      ? [found.p]
      : await model.pValues({ meaning, values });
  const scores = Array.from(values, (score, k) => {
    const real = probability(meaning, score);
    return {
      ...(rectangles[k] && { rectangle: rectangles[k] }),
      score,
      ...(real !== undefined && { probability: real }),
      ...(p && { p: p[k] }),
    };
  });
  const { width, height } = picture;
  return json({ meaning, width, height, scores, ...regionsOf(found) });
}

const regionsOf = (found: Detection | undefined) =>
  found && { threshold: found.threshold, regions: found.regions };

/** A map: what does not belong, if the model is calibrated, or the scores as colours; or both as numbers. */
export async function mapOf(
  model: Discriminator,
  { picture: bytes, form, label, stride, threshold }: Job<'map'>,
  pixels: number,
): Promise<Answer> {
  const { info } = model;
  const labels = labelsOf(info, label);
  if (threshold !== undefined) thresholdOf(info, threshold);
  const picture = await pictureOf(bytes, pixels);
  const map = await model.scoreMap(picture, { ...labels, ...(stride && { stride }) });
  const found =
    info.calibration && info.fragment ? detectionOf(info, map, picture, threshold) : undefined;
  if (form === 'json') return json(described(map, found));
  const { width, height } = picture;
  const rgb = found
    ? overGrey(picture, highlights(info, found))
    : overPicture(picture, heatMap(map, width, height));
  const image = new Images(1, height, width, 3, [0, 255], rgb);
  return { type: 'image/png', body: await image.toPNG({ gap: 0 }) };
}

function described(map: ScoreMap, found: Detection | undefined) {
  const { rows, columns, stride, first, meaning, values } = map;
  const [low, high] = extent(values);
  return {
    ...{ meaning, rows, columns, stride, first, low, high },
    ...(found && { p: found.p }),
    ...regionsOf(found),
    values: Array.from(values),
  };
}
