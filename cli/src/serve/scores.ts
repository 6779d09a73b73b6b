/** Scores and maps of pictures, as responses. */
import {
  classOf,
  type Detection,
  type Discriminator,
  detectionOf,
  extent,
  type ModelInfo,
  type Picture,
  type ScoreMap,
  thresholdOf,
  UserError,
} from '@gpn/runtime';
import { decode, Unreadable } from '@gpn/training/pictures';
import { mapPng } from '../evaluation/report/overlay.js';
import { type Rated, rated, scored } from '../evaluation/scored.js';
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

/** The score of each rectangle, or of the whole picture: of fragments, the average over the picture. */
export async function scoresOf(
  model: Discriminator,
  { picture: bytes, rectangles, label }: Job<'score'>,
  pixels: number,
): Promise<Answer> {
  const labels = labelsOf(model.info, label);
  const picture = await pictureOf(bytes, pixels);
  const { width, height } = picture;
  const meaning = model.info.scores;
  const shown = ({ meaning: _, ...rest }: Rated) => rest;
  if (rectangles.length === 0) {
    const found = await scored(model, picture, { labels });
    const scores = [shown(found.rated)];
    return json({ meaning, width, height, scores, ...regionsOf(found.detection) });
  }
  const { values } = await model.scoreFragments(picture, rectangles, labels);
  const scores = (await rated(model, values, undefined)).map((each, k) => ({
    rectangle: rectangles[k],
    ...shown(each),
  }));
  return json({ meaning, width, height, scores });
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
  return { type: 'image/png', body: await mapPng(info, map, picture, found) };
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
