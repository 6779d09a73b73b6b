/** How good a generator is while it trains: the metrics of a small sample, again and again. */
import type { Generator } from '@gpn/runtime';
import type { Dataset, Pictures } from '../data/types.js';
import { extractorFor, JUDGES } from '../evaluation/judge/judges.js';
import { duplicates } from '../evaluation/metrics/copies.js';
import { pixelDeviation } from '../evaluation/metrics/diversity.js';
import { frechetDistance, momentsOf } from '../evaluation/metrics/frechet.js';
import { neighbourhood } from '../evaluation/metrics/neighbours.js';
import { average } from '../evaluation/metrics/rows.js';
import { classesOf, classHistogram } from '../evaluation/metrics/verdicts.js';
import { chooseSome, draw, pixelRows } from '../evaluation/scorecard/image-sets.js';
import { FIXED } from '../evaluation/scorecard/protocol.js';
import type { Recipe } from '../recipe/schema.js';

/** Measures of a set of images; those that need a judge are there where the data has one. */
export interface Measures {
  /** The share of images with a twin among the others. */
  readonly duplicates: number;
  /** The mean over pixels of the standard deviation over images, of pixels in [0, 1]. */
  readonly deviation: number;
  readonly frechet?: number;
  readonly precision?: number;
  readonly recall?: number;
  /** The share of each class, as the judge sees them. */
  readonly classes?: readonly number[];
}

export interface SmallEvaluator {
  /** What real images have: what there is of measures that need no second set. */
  readonly real: Measures;
  readonly names: readonly string[];
  /** Why measures are missing, for the user. */
  readonly note?: string;
  measure(generator: Generator): Promise<Measures>;
  dispose(): Promise<void>;
}

/** Images that are compared with one another pixel by pixel. */
const COMPARED = 1000;

/** Images of an evaluation, generated and real, unless the recipe says how many. */
const SAMPLES = 2000;

/**
 * Makes ready to evaluate the generators of a run. Generated images are of the run's seed, the same
 * latents at each evaluation, so that what differs is the generator. Real ones are training images:
 * the test set stays unseen until the run is over, so that choosing by what is measured here does
 * not flatter the scorecard.
 */
export async function openSmallEvaluator(
  { data, training: { seed }, output }: Recipe,
  dataset: Dataset,
  options: { readonly threads?: number } = {},
): Promise<SmallEvaluator> {
  const samples = output.evaluate_samples ?? SAMPLES;
  const real = chooseSome(dataset, samples, seed);
  const names = dataset.classes ?? [];
  const ofReal = await ofPixels(real);
  if (!Object.hasOwn(JUDGES, data.dataset)) {
    return {
      real: ofReal,
      names,
      note: `There is no judge for ${dataset.name}: no Fréchet distance, recall and classes are measured, but sameness alone, and no checkpoint is the best.`,
      measure: async (generator) => ofPixels(await draw(generator, samples, seed)),
      dispose: async () => {},
    };
  }
  const judge = await extractorFor(data.dataset, undefined, options);
  const { features } = await judge.extract(real);
  const moments = momentsOf(features);
  const near = await neighbourhood(features, Math.min(FIXED.neighbours, features.count - 1));
  return {
    real: {
      ...ofReal,
      ...(real.labels && { classes: [...classHistogram(real.labels, names.length)] }),
    },
    names,
    async measure(generator) {
      const drawn = await draw(generator, samples, seed);
      const seen = await judge.extract(drawn);
      const { precision, recall } = await near(seen.features);
      return {
        frechet: frechetDistance(moments, momentsOf(seen.features)),
        precision: average(precision),
        recall: average(recall),
        ...(await ofPixels(drawn)),
        ...(seen.logits && {
          classes: [...classHistogram(classesOf(seen.logits), seen.logits.size)],
        }),
      };
    },
    dispose: () => judge.dispose(),
  };
}

async function ofPixels(pictures: Pictures): Promise<Measures> {
  const compared = pixelRows(pictures, 0, Math.min(COMPARED, pictures.count));
  return { duplicates: average(await duplicates(compared)), deviation: pixelDeviation(compared) };
}

/** Classes that the data has and that are drawn at least a tenth as often. */
export const classesDrawn = (now: readonly number[], real: readonly number[]): number =>
  real.filter((share, k) => share > 0 && (now[k] ?? 0) >= share / 10).length;

/** Measures as numbers by name, for logs: `frechet`, `classes` (how many are drawn), `class/7`. */
export const flatMeasures = (
  { classes, ...numbers }: Measures,
  { real, names }: Pick<SmallEvaluator, 'real' | 'names'>,
): Record<string, number> => ({
  ...numbers,
  ...(classes && {
    classes: classesDrawn(classes, real.classes ?? []),
    ...Object.fromEntries(classes.map((share, k) => [`class/${names[k] ?? k}`, share])),
  }),
});
