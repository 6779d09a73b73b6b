/** The options and results of an evaluation. */
import type { Generator } from '@gpn/runtime';
import type { Extractor } from '../judge/extractor.js';
import type { Interval } from '../metrics/bootstrap.js';
import type { LevelDistance } from '../metrics/sliced.js';
import type { RealData } from './image-sets.js';
import type { MeasureName } from './measures.js';
import type { Protocol } from './protocol.js';
import type { Details, EvaluateProgress, Sample } from './scores.js';

/** An optional measure that takes minutes. */
export type Extra = 'trained' | 'parzen';

/** Options of an evaluation. */
export interface EvaluateOptions {
  /** Number of generated images for each seed, and of real ones at most; 10,000 by default. */
  readonly samples?: number;
  /** The value of a measure is the median over these seeds; only seed 0 by default. */
  readonly seeds?: readonly number[];
  /** Names of the classes of real images to use; all by default. */
  readonly classes?: readonly string[];
  /**
   * The feature extractor: an .onnx file or a bundled model; the data's own judge by default. Data
   * without a judge is then measured without features.
   */
  readonly features?: string;
  /** The values of the pixels 0 and 255, if the feature extractor does not contain them. */
  readonly featuresRange?: readonly [number, number];
  /**
   * Whether to measure the sliced Wasserstein distance. By default that of folders is measured, but
   * not that of named data, whose published results have none.
   */
  readonly sliced?: boolean;
  /** Optional measures that take minutes; none by default. */
  readonly extras?: readonly Extra[];
  /** Threads of the feature extractor; one per processor by default. */
  readonly threads?: number;
  /** Called with the progress. */
  readonly on?: (progress: EvaluateProgress) => void;
}

/** A measured value and values to compare it with. */
export interface Result {
  /** The median over the seeds. */
  readonly value: number;
  /** The 95 % confidence interval of the seed with that value. */
  readonly interval?: Interval;
  /** The value of each seed. */
  readonly seeds: readonly number[];
  /** The value of real training images; a generator should not be better. */
  readonly floor?: number;
  /** The value of noise; a generator should not be worse. */
  readonly ceiling?: number;
  /** The values of the levels of a pyramid whose mean is the value. */
  readonly levels?: readonly LevelDistance[];
}

/** The complete result for one generator. */
export interface Evaluation {
  readonly version: 1;
  readonly model: {
    readonly name: string;
    /** SHA-256 of the file, if known. */
    readonly sha256?: string;
  };
  readonly protocol: Protocol;
  readonly protocolHash: string;
  readonly scores: Readonly<Partial<Record<MeasureName, Result>>>;
  /** The shares of the classes in generated and real images, as the judge classifies them. */
  readonly classes?: {
    readonly names: readonly string[];
    readonly generated: readonly number[];
    readonly real: readonly number[];
  };
  /** Remarks for reading the values, as sentences. */
  readonly notes: readonly string[];
}

/** Images and single values of the first seed, for a report. */
export interface Evidence {
  readonly real: RealData;
  readonly reference: Sample;
  readonly sample: Sample;
  readonly details: Details;
}

/** Evaluates generators by one protocol. */
export interface Evaluator {
  readonly protocol: Protocol;
  readonly real: RealData;
  /** Missing if the images are measured without features. */
  readonly extractor?: Extractor;
  /**
   * Evaluates one generator.
   * @param options.sha256 of the generator's file
   * @param options.categories the file of an InfoGAN's discriminator, to measure its categories
   */
  evaluate(
    generator: Generator,
    options?: { sha256?: string; categories?: string },
  ): Promise<{ evaluation: Evaluation; evidence: Evidence }>;
  dispose(): Promise<void>;
}
