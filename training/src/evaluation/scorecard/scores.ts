/** Computes all measures of a set of images relative to real ones. */
import { type Interval, meanInterval } from '../metrics/bootstrap.js';
import { duplicates, type Memorised, memorised } from '../metrics/copies.js';
import { pairDistances, pixelDeviation } from '../metrics/diversity.js';
import { frechetFrom } from '../metrics/frechet.js';
import { kernelDistance } from '../metrics/kernel.js';
import { type NeighbourScores, neighbourhood } from '../metrics/neighbours.js';
import { average, type Rows } from '../metrics/rows.js';
import {
  agreement,
  classDivergence,
  classesOf,
  classHistogram,
  classifierScore,
  probabilitiesOf,
} from '../metrics/verdicts.js';
import { type Labelled, pixelRows } from './image-sets.js';
import type { MeasureName } from './measures.js';
import { FIXED } from './protocol.js';

/** A measured value. */
export interface Score {
  readonly value: number;
  /** 95 % confidence interval over the draw of images. */
  readonly interval?: Interval;
}

/** Measured values by name. */
export type Scores = Partial<Record<MeasureName, Score>>;

/** A set of images with its features and, from a classifier, its logits. */
export interface Sample {
  readonly pictures: Labelled;
  readonly features: Rows;
  readonly logits?: Rows;
}

/** Values of single images, which a report shows. */
export interface Details {
  readonly neighbours: NeighbourScores;
  readonly memorised?: Memorised;
}

/** Scores sets of images. */
export interface Scorer {
  score(sample: Sample, options?: ScoreOptions): Promise<{ scores: Scores; details: Details }>;
}

/** Options of a score. */
export interface ScoreOptions {
  /**
   * Images that are searched for copies of training images instead of the set, if the set itself
   * consists of training images; `none` if the set cannot contain copies. The set by default.
   */
  readonly copiesOf?: Labelled | 'none';
  /** False leaves out the interval of the Fréchet distance, which takes seconds; true by default. */
  readonly intervals?: boolean;
}

const meanScore = (values: Float32Array): Score => ({
  value: average(values),
  interval: meanInterval(values),
});

/** Prepares the scoring of sets against real images; what depends on these is computed once. */
export async function openScorer(real: Sample, training: Labelled): Promise<Scorer> {
  const frechet = frechetFrom(real.features);
  const near = await neighbourhood(
    real.features,
    Math.min(FIXED.neighbours, real.features.count - 1),
  );
  const classes = real.logits && {
    count: real.logits.size,
    real: classHistogram(real.pictures.labels ?? classesOf(real.logits), real.logits.size),
  };
  return {
    async score(sample, { copiesOf = sample.pictures, intervals = true } = {}) {
      const { pictures, features, logits } = sample;
      const neighbours = await near(features);
      const { value, error } = await kernelDistance(real.features, features, {
        blockSize: FIXED.kernelBlock,
      });
      const compared = Math.min(FIXED.compared, pictures.count);
      const twins = await duplicates(pixelRows(pictures, 0, compared));
      const heart =
        copiesOf === 'none'
          ? undefined
          : await memorised(
              pixelRows(copiesOf, 0, Math.min(compared, copiesOf.count)),
              parts(training),
            );
      const judged = logits && classesOf(logits);
      const scores: Scores = {
        frechet: frechet(features, { intervals }),
        kernel: {
          value: 1000 * value,
          ...(Number.isFinite(error) && {
            interval: [1000 * (value - 1.96 * error), 1000 * (value + 1.96 * error)],
          }),
        },
        precision: meanScore(neighbours.precision),
        recall: meanScore(neighbours.recall),
        density: meanScore(neighbours.density),
        coverage: meanScore(neighbours.coverage),
        ...(logits && { classifierScore: classifierScore(probabilitiesOf(logits)) }),
        ...(judged && classes && { classDivergence: classDivergence(judged, classes.real) }),
        ...(judged &&
          pictures.labels && { agreement: meanScore(agreement(pictures.labels, judged)) }),
        diversity: meanScore(pairDistances(features)),
        duplicates: meanScore(twins),
        ...(heart && { copies: meanScore(heart.copies) }),
        deviation: {
          value: pixelDeviation(pixelRows(pictures, 0, Math.min(200, pictures.count))),
        },
      };
      return { scores, details: { neighbours, ...(heart && { memorised: heart }) } };
    },
  };
}

/** The pixels of all images, in parts of five thousand images. */
function* parts(pictures: Labelled): Iterable<Rows> {
  const step = 5000;
  for (let at = 0; at < pictures.count; at += step) {
    yield pixelRows(pictures, at, Math.min(pictures.count, at + step));
  }
}
