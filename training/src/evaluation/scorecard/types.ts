/** What an evaluation is asked for, and what it finds. */
import type { Generator } from '@gpn/runtime';
import type { Extractor } from '../judge/extractor.js';
import type { Interval } from '../metrics/bootstrap.js';
import type { RealData } from './image-sets.js';
import type { MeasureName } from './measures.js';
import type { Protocol } from './protocol.js';
import type { Details, Sample } from './scores.js';

/** Measures that take minutes. */
export type Extra = 'trained' | 'parzen';

export interface EvaluateOptions {
  /** Generated images for each seed, and as many real ones at most; 10,000 unless given. */
  readonly samples?: number;
  /** The value of a measure is the median over them; seed 0 alone unless given. */
  readonly seeds?: readonly number[];
  /** Real images of these classes alone; of all unless given. */
  readonly classes?: readonly string[];
  /** An .onnx file, or a bundled model's name; the data's own judge unless given. */
  readonly features?: string;
  /** Of a feature extractor that does not say it: what the pixels 0 and 255 become. */
  readonly featuresRange?: readonly [number, number];
  /** Measures that take minutes. */
  readonly extras?: readonly Extra[];
  readonly on?: (progress: EvaluateProgress) => void;
}

export interface EvaluateProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

/** A measured value, and what there is to compare it with. */
export interface Result {
  /** The median over the seeds. */
  readonly value: number;
  /** Of the seed with that value, 95 %. */
  readonly interval?: Interval;
  /** The value of each seed. */
  readonly seeds: readonly number[];
  /** What real images reach against others: nothing should be better. */
  readonly floor?: number;
  /** What noise reaches: nothing should be worse. */
  readonly ceiling?: number;
}

export interface Evaluation {
  readonly version: 1;
  readonly model: {
    readonly name: string;
    /** SHA-256 of the file, where it was known. */
    readonly sha256?: string;
  };
  readonly protocol: Protocol;
  readonly protocolHash: string;
  readonly scores: Readonly<Partial<Record<MeasureName, Result>>>;
  /** Shares of the classes, as the judge sees generated and real images. */
  readonly classes?: {
    readonly names: readonly string[];
    readonly generated: readonly number[];
    readonly real: readonly number[];
  };
  /** What to know before reading the figures. */
  readonly notes: readonly string[];
}

/** What was measured with the first seed, for a report to show. */
export interface Evidence {
  readonly real: RealData;
  readonly reference: Sample;
  readonly sample: Sample;
  readonly details: Details;
}

export interface Evaluator {
  readonly protocol: Protocol;
  readonly real: RealData;
  readonly extractor: Extractor;
  /**
   * @param options.sha256 of the generator's file
   * @param options.categories the discriminator of an InfoGAN, whose categories are measured too
   */
  evaluate(
    generator: Generator,
    options?: { sha256?: string; categories?: string },
  ): Promise<{ evaluation: Evaluation; evidence: Evidence }>;
  dispose(): Promise<void>;
}
