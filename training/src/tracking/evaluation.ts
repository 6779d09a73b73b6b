/** Evaluates a generator during its training, repeatedly, with the metrics of a small sample. */

import { type Generator, UserError } from '@gpn/runtime';
import { classHistogram } from '../data/format/labels.js';
import type { Dataset, Pictures } from '../data/types.js';
import type { Extractor } from '../evaluation/judge/extractor.js';
import { extractorFor, hasJudge } from '../evaluation/judge/judges.js';
import { duplicates } from '../evaluation/metrics/copies.js';
import { pixelDeviation } from '../evaluation/metrics/diversity.js';
import { frechetDistance, momentsOf } from '../evaluation/metrics/frechet.js';
import { neighbourhood } from '../evaluation/metrics/neighbours.js';
import { average } from '../evaluation/metrics/rows.js';
import { isSliceable, slicedDistance } from '../evaluation/metrics/sliced.js';
import { classesOf } from '../evaluation/metrics/verdicts.js';
import {
  chooseSome,
  draw,
  FEWEST,
  type Labelled,
  pixelRows,
} from '../evaluation/scorecard/image-sets.js';
import { FIXED } from '../evaluation/scorecard/protocol.js';
import { SLICED_ONLY } from '../recipe/keys/output.js';
import type { Recipe } from '../recipe/schema.js';

/** Measures of a set of images; most of the optional ones need features. */
export interface Measures {
  /** The share of images that have a near-identical image among the others. */
  readonly duplicates: number;
  /** The standard deviation over images of each pixel in [0, 1], averaged over pixels. */
  readonly deviation: number;
  readonly frechet?: number;
  /** The sliced Wasserstein distance of patches, × 1000; measured where there are no features. */
  readonly sliced?: number;
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
  /** Whether a distance is measured that tells which of two generators is better. */
  readonly ranks: boolean;
  /** Why measures are missing, for the user. */
  readonly note?: string;
  measure(generator: Generator): Promise<Measures>;
  dispose(): Promise<void>;
}

/** Number of images that are compared with one another pixel by pixel. */
const COMPARED = 1000;

/** Default number of generated and of real images of an evaluation. */
const SAMPLES = 2000;

/** Directions of a sliced Wasserstein distance: a quarter of those on a scorecard, for the time it takes. */
const DIRECTIONS = 128;

/**
 * Prepares the evaluation of a run's generators. The generated images of all evaluations use the same
 * latents, drawn from the run's seed, so only the generator differs. The real images are training
 * images: the test set remains unseen, so choosing a checkpoint by these measures does not bias the
 * scorecard.
 *
 * @throws UserError if there are too few images, or the judge cannot be loaded
 */
export async function openSmallEvaluator(
  recipe: Recipe,
  dataset: Dataset,
  options: { readonly threads?: number } = {},
): Promise<SmallEvaluator> {
  const { data, training, output } = recipe;
  const { seed } = training;
  const samples = output.evaluate_samples ?? SAMPLES;
  const real = chooseSome(dataset, samples, seed);
  if (real.count < FEWEST) {
    throw new UserError(
      `output.evaluate_every compares with at least ${FEWEST} images, and ${dataset.name} has ${real.count}: leave the key out.`,
    );
  }
  const names = dataset.classes ?? [];
  const source = output.evaluate_with ?? (hasJudge(data.dataset) ? undefined : SLICED_ONLY);
  const comparison =
    source === SLICED_ONLY
      ? byPatches(real)
      : await byFeatures(real, names.length, await extractorFor(data.dataset, source, options));
  const note = output.evaluate_with === undefined && source === SLICED_ONLY;
  return {
    real: { ...(await ofPixels(real)), ...comparison.real },
    names,
    ranks: comparison.ranks,
    ...(note && {
      note: comparison.ranks
        ? `There is no judge for ${dataset.name}: evaluations measure the sliced Wasserstein distance, duplicates and pixel deviation, not recall or classes (output.evaluate_with takes a judge).`
        : `There is no judge for ${dataset.name}, and its images are too small for patches: only duplicates and pixel deviation are measured, and there is no best checkpoint.`,
    }),
    async measure(generator) {
      const drawn = await draw(generator, samples, seed, { shares: dataset.shares });
      return { ...(await comparison.measure(drawn)), ...(await ofPixels(drawn)) };
    },
    dispose: comparison.dispose,
  };
}

/** A way to compare images with real ones. */
interface Comparison extends Pick<SmallEvaluator, 'ranks' | 'dispose'> {
  readonly real: Partial<Measures>;
  measure(drawn: Labelled): Promise<Partial<Measures>>;
}

function byPatches(real: Labelled): Comparison {
  const ranks = isSliceable(real);
  return {
    ranks,
    real: {},
    measure: async (drawn) =>
      ranks
        ? { sliced: (await slicedDistance(real, drawn, { directions: DIRECTIONS })).value }
        : {},
    dispose: async () => {},
  };
}

/** @param count the number of classes of the data; 0 if it has none */
async function byFeatures(real: Labelled, count: number, judge: Extractor): Promise<Comparison> {
  try {
    const { features, logits } = await judge.extract(real);
    const moments = momentsOf(features);
    const near = await neighbourhood(features, Math.min(FIXED.neighbours, features.count - 1));
    // A judge of other classes than those of the data has nothing to say about them.
    const classes = logits && (count === 0 || count === logits.size);
    const shares = (of: ArrayLike<number>) => [...classHistogram(of, logits?.size ?? 0)];
    return {
      ranks: true,
      real: classes ? { classes: shares(real.labels ?? classesOf(logits)) } : {},
      async measure(drawn) {
        const seen = await judge.extract(drawn);
        const { precision, recall } = await near(seen.features);
        return {
          frechet: frechetDistance(moments, momentsOf(seen.features)),
          precision: average(precision),
          recall: average(recall),
          ...(classes && seen.logits && { classes: shares(classesOf(seen.logits)) }),
        };
      },
      dispose: () => judge.dispose(),
    };
  } catch (error) {
    await judge.dispose();
    throw error;
  }
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
