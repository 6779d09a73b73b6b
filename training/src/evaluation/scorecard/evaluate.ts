/** Evaluates generators by one protocol, with a scorecard for each. */
import { type Generator, type ImageInfo, type ModelInfo, UserError } from '@gpn/runtime';
import { classHistogram } from '../../data/format/labels.js';
import { isNamed } from '../../data/sets/names.js';
import type { Extractor } from '../judge/extractor.js';
import { extractorFor, hasJudge } from '../judge/judges.js';
import { isSliceable, SLICED } from '../metrics/sliced.js';
import { categoryError, classesOf } from '../metrics/verdicts.js';
import { type Measured, scoreCategories, scoreExtras } from './extras.js';
import {
  chooseSome,
  draw,
  FEWEST,
  type Labelled,
  loadReal,
  noise,
  type RealData,
} from './image-sets.js';
import { MEASURES, type MeasureName } from './measures.js';
import { openModes } from './modes.js';
import { notesOf, preparedOtherwise } from './notes.js';
import { FIXED, type Protocol, protocolHash } from './protocol.js';
import { type Details, openScorer, type Sample, type Scores } from './scores.js';
import type { EvaluateOptions, Evaluation, Evaluator, Result } from './types.js';

/** The options with their defaults. */
const settingsOf = ({
  samples = 10_000,
  seeds = [0],
  extras = [],
  on = () => {},
  ...others
}: EvaluateOptions) => ({ ...others, samples, seeds, extras, on });
type Settings = ReturnType<typeof settingsOf>;

/**
 * Prepares the evaluation of generators of one image size: loads data and judge, and measures training
 * images and noise for comparison.
 *
 * @param spec the data: `mnist`, `fashion`, or a folder
 * @throws UserError if the data or the feature extractor cannot be loaded
 */
export async function openEvaluator(
  spec: string,
  size: Pick<ImageInfo, 'height' | 'width' | 'channels' | 'preparation'>,
  options: EvaluateOptions = {},
): Promise<Evaluator> {
  const settings = settingsOf(options);
  const { samples, sliced = !isNamed(spec), on } = settings;
  if (samples < FEWEST) {
    throw new UserError(`An evaluation takes at least ${FEWEST} images of a generator.`);
  }
  const real = await loadReal(spec, size, options.classes);
  const extractor = await openFeatures(spec, settings);
  const reader = await openModes(spec, settings.threads ? { threads: settings.threads } : {});
  const dispose = async () => {
    await extractor?.dispose();
    await reader?.dispose();
  };
  try {
    const sampleOf: SampleOf = async (pictures, phase) => ({
      pictures,
      ...(await extractor?.extract(pictures, {
        onProgress: (done, total) => on({ phase, done, total }),
      })),
      ...(reader && { modes: { of: await reader.read(pictures), count: reader.protocol.count } }),
    });
    const chosen = comparable(chooseSome(real.reference, samples, 0), real, extractor);
    const protocol: Protocol = {
      ...FIXED,
      data: {
        name: real.name,
        hash: real.reference.hash,
        count: chosen.count,
        part: real.part,
      },
      ...(extractor && { features: extractor.identity }),
      ...(reader && { modes: reader.protocol }),
      ...(sliced && isSliceable(size) && { sliced: SLICED }),
      ...(real.shares && { labels: 'as in the data' }),
      samples,
      seeds: settings.seeds,
    };
    const reference = await sampleOf(chosen, 'real images');
    const scorer = await openScorer(reference, {
      neighbours: Math.min(
        FIXED.neighbours,
        ...[chosen.count, real.others.count].map((count) => count - 1),
      ),
      sliced: protocol.sliced,
    });
    const bench = { settings, real, reference, scorer, sampleOf };
    const notes = [...notesOf(protocol, real), ...preparedOtherwise(extractor, size)];
    const limits = await limitsOf(bench, size);
    return {
      protocol,
      real,
      ...(extractor && { extractor }),
      evaluate: (generator, of) =>
        evaluateOne({ ...bench, limits, protocol, notes }, generator, of),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Images with their labels if the judge has as many classes, so that its answers can be counted by them. */
function comparable(
  { labels, ...images }: Labelled,
  { classes }: RealData,
  judge: Extractor | undefined,
): Labelled {
  const same = judge?.classes === undefined || judge.classes === classes?.length;
  return { ...images, ...(labels && same && { labels }) };
}

/** The feature extractor; none for data without a judge if none is given. */
async function openFeatures(
  spec: string,
  { features, featuresRange: range, threads }: EvaluateOptions,
): Promise<Extractor | undefined> {
  if (features === undefined && !hasJudge(spec)) return undefined;
  return extractorFor(spec, features, { ...(range && { range }), ...(threads && { threads }) });
}

/** Extracts the features of images; `phase` names this work in progress events. */
type SampleOf = (pictures: Labelled, phase: string) => Promise<Sample>;

/** Everything that generators are measured with. */
interface Bench {
  readonly settings: Settings;
  readonly real: RealData;
  /** The real images that generated ones are compared with. */
  readonly reference: Sample;
  readonly scorer: Awaited<ReturnType<typeof openScorer>>;
  readonly sampleOf: SampleOf;
}

/** Scores to compare with: those of real images, the best possible, and of noise, the worst. */
interface Limits {
  readonly floor: Scores;
  readonly ceiling: Scores;
}

/** Scores real images outside the reference, and noise. */
async function limitsOf(
  { settings, real, reference, scorer, sampleOf }: Bench,
  size: { height: number; width: number; channels: number },
): Promise<Limits> {
  const { samples, extras, on } = settings;
  const { pictures: chosen } = reference;
  const others = await sampleOf(chooseSome(real.others, samples, 1), 'training images');
  const all = { sample: others, asManyAsOthers: async () => ({ pictures: real.others }) };
  const copies = { of: chosen, among: real.others };
  const floor = {
    ...(await scorer.score(others, { copies, intervals: false, on })).scores,
    ...(await scoreExtras(extras, real, all, on)),
  };
  const random = await sampleOf(noise(size, Math.min(samples, chosen.count)), 'noise');
  const { scores } = await scorer.score(random, { copies: 'none', intervals: false, on });
  return { floor, ceiling: scores };
}

/** Evaluates one generator over all seeds. */
async function evaluateOne(
  bench: Bench & { limits: Limits; protocol: Protocol; notes: readonly string[] },
  generator: Generator,
  { sha256, categories }: { sha256?: string; categories?: string } = {},
): ReturnType<Evaluator['evaluate']> {
  const { real, reference, protocol, limits, notes } = bench;
  // Computed from real images, so it is the same for every seed.
  const ofCategories = categories ? await scoreCategories(categories, real) : {};
  const found: (Seed & { scores: Scores })[] = [];
  for (const seed of protocol.seeds) {
    const { scores, ...shown } = await scoreSeed(bench, generator, seed);
    // Only the first seed's images are shown; the others need not be kept.
    const { sample, details } = found[0] ?? shown;
    found.push({ sample, details, scores: { ...scores, ...ofCategories } });
  }
  const { sample, details } = found[0] as Seed;
  const evaluation: Evaluation = {
    version: 1,
    model: { name: generator.info.name, ...(sha256 && { sha256 }) },
    protocol,
    protocolHash: protocolHash(protocol),
    scores: results(
      found.map(({ scores }) => scores),
      limits.floor,
      limits.ceiling,
    ),
    ...classesOfBoth(real, reference, sample),
    notes,
  };
  return { evaluation, evidence: { real, reference, sample, details } };
}

interface Seed {
  readonly sample: Sample;
  readonly details: Details;
}

/** Scores the images of one seed. */
async function scoreSeed(
  { settings, real, scorer, sampleOf, protocol }: Bench & { protocol: Protocol },
  generator: Generator,
  seed: number,
): Promise<Seed & { scores: Scores }> {
  const { extras, on } = settings;
  const phase = protocol.seeds.length > 1 ? `images of seed ${seed}` : 'generated images';
  const sampled = async (count: number) => {
    const drawn = await draw(generator, count, seed, {
      shares: real.shares,
      on: (done, total) => on({ phase: `${phase} drawn`, done, total }),
    });
    return withClasses(await sampleOf(drawn, phase), generator.info);
  };
  const sample = await sampled(protocol.samples);
  const copies = { of: sample.pictures, among: real.train };
  const { details, scores } = await scorer.score(sample, { copies, on });
  const measured: Measured = { sample, asManyAsOthers: () => sampled(real.others.count) };
  return {
    sample,
    details,
    scores: { ...scores, ...(await scoreExtras(extras, real, measured, on)) },
  };
}

/**
 * Translates the requested classes into classes of the judge. Categories that were learnt without
 * labels are matched to the classes that fit best. If the numbers of classes differ, the labels are
 * dropped.
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

/** The median of each measure over the seeds, with the scores of real images and noise. */
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
  const known = real.classes?.length === count ? real.classes : [];
  const names = Array.from({ length: count }, (_, k) => known[k] ?? String(k));
  return {
    classes: {
      names,
      generated: shares(classesOf(sample.logits)),
      real: shares(reference.pictures.labels ?? classesOf(reference.logits)),
    },
  };
}
