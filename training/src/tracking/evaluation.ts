/** Evaluates a generator during its training, repeatedly, with the metrics of a small sample. */
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

/** Measures of a set of images; the optional ones need a judge for the data. */
export interface Measures {
  /** The share of images that have a near-identical image among the others. */
  readonly duplicates: number;
  /** The standard deviation over images of each pixel in [0, 1], averaged over pixels. */
  readonly deviation: number;
  readonly frechet?: number;
  readonly precision?: number;
  readonly recall?: number;
  /** The share of each class, as the judge classifies the images. */
  readonly classes?: readonly number[];
}

/** Evaluates generators during a training. */
export interface SmallEvaluator {
  /** The measures of real images that need no second set. */
  readonly real: Measures;
  /** The names of the classes. */
  readonly names: readonly string[];
  /** Why measures are missing, for the user. */
  readonly note?: string;
  measure(generator: Generator): Promise<Measures>;
  dispose(): Promise<void>;
}

/** Number of images that are compared with one another pixel by pixel. */
const COMPARED = 1000;

/** Default number of generated and of real images of an evaluation. */
const SAMPLES = 2000;

/**
 * Prepares the evaluation of a run's generators. The generated images of all evaluations use the same
 * latents, drawn from the run's seed, so only the generator differs. The real images are training
 * images: the test set remains unseen, so choosing a checkpoint by these measures does not bias the
 * scorecard.
 *
 * @throws UserError if the judge cannot be loaded
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
      note: `There is no judge for ${dataset.name}: Fréchet distance, recall and classes are not measured, only duplicates and pixel deviation, and there is no best checkpoint.`,
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

/** Number of classes of the data that are drawn at least a tenth as often as the data has them. */
export const classesDrawn = (now: readonly number[], real: readonly number[]): number =>
  real.filter((share, k) => share > 0 && (now[k] ?? 0) >= share / 10).length;

/** Measures as numbers by name, for logs: `frechet`, `classes` (number of classes drawn), `class/7`. */
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
