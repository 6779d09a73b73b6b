/** The evaluation of generators: one protocol, a scorecard each. */
import type { Generator, ModelInfo } from '@gpn/runtime';
import type { Extractor } from '../judge/extractor.js';
import { extractorFor } from '../judge/judges.js';
import type { Interval } from '../metrics/bootstrap.js';
import { categoryError, classesOf, classHistogram } from '../metrics/verdicts.js';
import { type Extra, type Measured, scoreCategories, scoreExtras } from './extras.js';
import { MEASURES, type MeasureName } from './measures.js';
import { FIXED, type Protocol, protocolHash } from './protocol.js';
import { type Details, openScorer, type Sample, type Scores } from './scores.js';
import { chooseSome, draw, type Labelled, loadReal, noise, type RealData } from './sets.js';

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

/**
 * Makes ready to evaluate generators of one image size: loads data and judge, and measures what real
 * images and noise reach.
 *
 * @param spec the data: `mnist`, `fashion`, or a folder
 * @throws UserError when the data or the features cannot be had
 */
export async function openEvaluator(
  spec: string,
  size: { height: number; width: number; channels: number },
  options: EvaluateOptions = {},
): Promise<Evaluator> {
  const { samples = 10_000, seeds = [0], features, featuresRange, extras = [] } = options;
  const { on = () => {} } = options;
  const told = (phase: string) => (done: number, total: number) => on({ phase, done, total });
  const real = await loadReal(spec, size, options.classes);
  const extractor = await extractorFor(spec, features, featuresRange && { range: featuresRange });
  try {
    const sampleOf = async (pictures: Labelled, phase: string): Promise<Sample> => ({
      pictures,
      ...(await extractor.extract(pictures, { onProgress: told(phase) })),
    });
    const chosen = chooseSome(real.reference, samples, 0);
    const reference = await sampleOf(chosen, 'real images');
    const scorer = await openScorer(reference, real.train);
    const protocol: Protocol = {
      ...FIXED,
      data: {
        name: real.name,
        hash: real.reference.hash,
        count: chosen.count,
        part: real.part,
      },
      features: extractor.identity,
      samples,
      seeds,
    };
    const trained = await sampleOf(chooseSome(real.train, samples, 1), 'training images');
    const more = (sample: Sample, asManyAsTraining: Measured['asManyAsTraining']) =>
      scoreExtras(extras, real, { sample, asManyAsTraining }, on);
    const floor = {
      ...(await scorer.score(trained, { copiesOf: chosen, intervals: false })).scores,
      ...(await more(trained, async () => ({ pictures: real.train }))),
    };
    const random = await sampleOf(noise(size, Math.min(samples, chosen.count)), 'noise');
    const ceiling = (await scorer.score(random, { copiesOf: 'none', intervals: false })).scores;

    return {
      protocol,
      real,
      extractor,
      async evaluate(generator, { sha256, categories } = {}) {
        // They judge real images, so they are the same for every seed.
        const ofCategories = categories && (await scoreCategories(categories, real));
        const found: { sample: Sample; scores: Scores; details: Details }[] = [];
        for (const seed of seeds) {
          const phase = seeds.length > 1 ? `images of seed ${seed}` : 'generated images';
          const sampled = async (count: number) => {
            const drawn = await draw(generator, count, seed, told(`${phase} drawn`));
            return withClasses(await sampleOf(drawn, phase), generator.info);
          };
          const sample = await sampled(samples);
          const { details, ...ofSample } = await scorer.score(sample);
          const ofMore = await more(sample, () => sampled(real.train.count));
          const scores = { ...ofSample.scores, ...(ofCategories || {}), ...ofMore };
          // Only the first seed's images are shown; the others need not be kept.
          found.push({ ...(found[0] ?? { sample, details }), scores });
        }
        const first = found[0] as (typeof found)[0];
        const evaluation: Evaluation = {
          version: 1,
          model: { name: generator.info.name, ...(sha256 && { sha256 }) },
          protocol,
          protocolHash: protocolHash(protocol),
          scores: results(
            found.map(({ scores }) => scores),
            floor,
            ceiling,
          ),
          ...classesOfBoth(real, reference, first.sample),
          notes: notesOf(protocol, real),
        };
        const { sample, details } = first;
        return { evaluation, evidence: { real, reference, sample, details } };
      },
      dispose: () => extractor.dispose(),
    };
  } catch (error) {
    await extractor.dispose();
    throw error;
  }
}

/**
 * What the classes that were asked for are to the judge: categories that were learnt without labels
 * stand for the classes they fit best; those of another number than the judge's mean nothing to it.
 */
function withClasses(sample: Sample, { condition }: ModelInfo): Sample {
  const { pictures, logits } = sample;
  const { labels: asked, ...unlabelled } = pictures;
  if (!asked || !logits || !condition) return sample;
  if (condition.classes !== logits.size) return { ...sample, pictures: unlabelled };
  if (condition.input !== 'categories' || condition.names) return sample;
  const { matching } = categoryError(asked, classesOf(logits), logits.size);
  const labels = asked.map((category) => matching[category] as number);
  return { ...sample, pictures: { ...pictures, labels } };
}

/** The median of each measure over the seeds, between what real images and noise reach. */
function results(seeds: readonly Scores[], floor: Scores, ceiling: Scores): Evaluation['scores'] {
  const names = (Object.keys(MEASURES) as MeasureName[]).filter((name) => seeds[0]?.[name]);
  const entries = names.map((name): [MeasureName, Result] => {
    const values = seeds.map((scores) => scores[name]?.value as number);
    const ranked = seeds
      .map((scores) => scores[name] as NonNullable<Scores[MeasureName]>)
      .sort((a, b) => a.value - b.value);
    const median = ranked[(ranked.length - 1) >> 1] as NonNullable<Scores[MeasureName]>;
    const [low, high] = [floor[name]?.value, ceiling[name]?.value];
    return [
      name,
      {
        ...median,
        seeds: values,
        ...(low !== undefined && { floor: low }),
        ...(high !== undefined && { ceiling: high }),
      },
    ];
  });
  return Object.fromEntries(entries);
}

function classesOfBoth(
  real: RealData,
  reference: Sample,
  sample: Sample,
): Pick<Evaluation, 'classes'> {
  if (!sample.logits || !reference.logits) return {};
  const count = sample.logits.size;
  const shares = (labels: ArrayLike<number>) => [...classHistogram(labels, count)];
  const names = Array.from({ length: count }, (_, k) => real.classes?.[k] ?? String(k));
  return {
    classes: {
      names,
      generated: shares(classesOf(sample.logits)),
      real: shares(reference.pictures.labels ?? classesOf(reference.logits)),
    },
  };
}

/** Below this the bias of a Fréchet distance is large (FIGURES of the field: Chong & Forsyth 2020). */
const ENOUGH = 2048;

function notesOf({ samples, features, data }: Protocol, { part, name }: RealData): string[] {
  const least = Math.min(samples, data.count);
  return [
    least <= features.size &&
      `The covariance of ${least} images over ${features.size} features is singular: the Fréchet distance is defined, but far too large.`,
    least > features.size &&
      least < ENOUGH &&
      `A Fréchet distance of ${least} images is biased upwards; the kernel distance is not.`,
    part === 'half' &&
      `${name} has no test set: generated images are compared with a half of it, which generators may have been trained on.`,
  ].filter((note) => typeof note === 'string');
}
