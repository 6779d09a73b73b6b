/** Computes all measures of a set of images relative to real ones. */
import { classHistogram } from '../../data/format/labels.js';
import { type Interval, meanInterval, shareInterval } from '../metrics/bootstrap.js';
import { duplicates, type Memorised, memorised } from '../metrics/copies.js';
import { pairDistances, pixelDeviation } from '../metrics/diversity.js';
import { frechetFrom } from '../metrics/frechet.js';
import { kernelDistance } from '../metrics/kernel.js';
import { type NeighbourScores, neighbourhood } from '../metrics/neighbours.js';
import { average, type Rows } from '../metrics/rows.js';
import { type LevelDistance, type SlicedSettings, slicedDistance } from '../metrics/sliced.js';
import {
  agreement,
  classDivergence,
  classesOf,
  classifierScore,
  probabilitiesOf,
} from '../metrics/verdicts.js';
import { type Labelled, pixelRows } from './image-sets.js';
import type { MeasureName } from './measures.js';
import { modeScores } from './modes.js';
import { FIXED } from './protocol.js';

/** How far a part of an evaluation has come. */
export interface EvaluateProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

/** A measured value. */
export interface Score {
  readonly value: number;
  /** 95 % confidence interval over the draw of images. */
  readonly interval?: Interval;
  /** The values of the levels of a pyramid whose mean it is. */
  readonly levels?: readonly LevelDistance[];
}

/** Measured values by name. */
export type Scores = Partial<Record<MeasureName, Score>>;

/** A set of images with its features, if any are extracted, and, from a classifier, its logits. */
export interface Sample {
  readonly pictures: Labelled;
  readonly features?: Rows;
  readonly logits?: Rows;
  /** The mode of each image, and how many there are, for data that have modes. */
  readonly modes?: { readonly of: Uint32Array; readonly count: number };
}

/** Values of single images, which a report shows. */
export interface Details {
  readonly neighbours?: NeighbourScores;
  readonly memorised?: Memorised;
}

/** Scores sets of images. */
export interface Scorer {
  score(sample: Sample, options: ScoreOptions): Promise<{ scores: Scores; details: Details }>;
}

/** Options of a score. */
export interface ScoreOptions {
  /**
   * Images that are searched for copies of training images, and these; `none` if the set cannot
   * contain copies.
   */
  readonly copies: { readonly of: Labelled; readonly among: Labelled } | 'none';
  /** False leaves out the interval of the Fréchet distance, which takes seconds; true by default. */
  readonly intervals?: boolean;
  /** Called with the progress of what takes long. */
  readonly on?: (progress: EvaluateProgress) => void;
}

/** What a set of images is compared by. */
export interface ScorerOptions {
  /** k of the neighbour metrics. */
  readonly neighbours: number;
  /** Without it, the sliced Wasserstein distance is not measured. */
  readonly sliced?: SlicedSettings | undefined;
}

const meanScore = (values: Float32Array): Score => ({
  value: average(values),
  interval: meanInterval(values),
});

/** Prepares the scoring of sets against real images; what depends on these is computed once. */
export async function openScorer(
  real: Sample,
  { neighbours, sliced }: ScorerOptions,
): Promise<Scorer> {
  const byFeatures = real.features && (await featureScorer(real.features, neighbours));
  const classes = real.logits && {
    count: real.logits.size,
    real: classHistogram(real.pictures.labels ?? classesOf(real.logits), real.logits.size),
  };
  return {
    async score(
      { pictures, features, logits, modes },
      { copies, intervals = true, on = () => {} },
    ) {
      const found = features && (await byFeatures?.(features, { intervals, on }));
      const distance =
        sliced &&
        (await slicedDistance(real.pictures, pictures, {
          ...sliced,
          onProgress: (done, total) => on({ phase: 'patches', done, total }),
        }));
      const compared = Math.min(FIXED.compared, pictures.count);
      const twins = await duplicates(pixelRows(pictures, 0, compared));
      const heart =
        copies === 'none'
          ? undefined
          : await memorised(
              pixelRows(copies.of, 0, Math.min(compared, copies.of.count)),
              parts(copies.among),
            );
      const judged = logits && classesOf(logits);
      const scores: Scores = {
        ...found?.scores,
        ...(logits && { classifierScore: classifierScore(probabilitiesOf(logits)) }),
        ...(judged && classes && { classDivergence: classDivergence(judged, classes.real) }),
        ...(judged && pictures.labels && { agreement: agreementOf(pictures.labels, judged) }),
        ...(modes && modeScores(modes.of, modes.count)),
        ...(distance && { sliced: distance }),
        ...(features && { diversity: meanScore(pairDistances(features)) }),
        duplicates: meanScore(twins),
        ...(heart && { copies: meanScore(heart.copies) }),
        deviation: {
          value: pixelDeviation(pixelRows(pictures, 0, Math.min(200, pictures.count))),
        },
      };
      const details: Details = {
        ...(found && { neighbours: found.neighbours }),
        ...(heart && { memorised: heart }),
      };
      return { scores, details };
    },
  };
}

function agreementOf(asked: Uint8Array, judged: Uint8Array): Score {
  const hits = agreement(asked, judged);
  return { value: average(hits), interval: shareInterval(hits) };
}

/** Returns a function that scores features relative to those of real images. */
async function featureScorer(real: Rows, k: number) {
  const frechet = frechetFrom(real);
  const near = await neighbourhood(real, k);
  return async (
    features: Rows,
    { intervals, on }: Required<Pick<ScoreOptions, 'intervals' | 'on'>>,
  ): Promise<{ scores: Scores; neighbours: NeighbourScores }> => {
    const neighbours = await near(features);
    const { value, error } = await kernelDistance(real, features, {
      blockSize: FIXED.kernelBlock,
    });
    const scores = {
      frechet: frechet(features, {
        intervals,
        onProgress: (done, total) => on({ phase: 'Fréchet distance', done, total }),
      }),
      kernel: {
        value: 1000 * value,
        ...(Number.isFinite(error) && {
          interval: [1000 * (value - 1.96 * error), 1000 * (value + 1.96 * error)] as const,
        }),
      },
      precision: meanScore(neighbours.precision),
      recall: meanScore(neighbours.recall),
      density: meanScore(neighbours.density),
      coverage: meanScore(neighbours.coverage),
    };
    return { scores, neighbours };
  };
}

/** The pixels of all images, in parts of five thousand images. */
function* parts(pictures: Labelled): Iterable<Rows> {
  const step = 5000;
  for (let at = 0; at < pictures.count; at += step) {
    yield pixelRows(pictures, at, Math.min(pictures.count, at + step));
  }
}
