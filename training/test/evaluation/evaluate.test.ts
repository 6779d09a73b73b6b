/** The scorecard as a whole: of a good generator, and of collapsed ones that it must give away. */
import { Generator } from '@gpn/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FeaturesIdentity } from '../../src/evaluation/judge/extractor.js';
import { SLICED } from '../../src/evaluation/metrics/sliced.js';
import { openEvaluator } from '../../src/evaluation/scorecard/evaluate.js';
import type { Labelled } from '../../src/evaluation/scorecard/image-sets.js';
import type { MeasureName } from '../../src/evaluation/scorecard/measures.js';
import {
  type Protocol,
  protocolDifferences,
  protocolHash,
} from '../../src/evaluation/scorecard/protocol.js';
import { checkComparable, parseEvaluation } from '../../src/evaluation/scorecard/result-file.js';
import { qualityOf, scorecardMarkdown } from '../../src/evaluation/scorecard/scorecard.js';
import type { Evaluation, Evaluator } from '../../src/evaluation/scorecard/types.js';
import { tableGenerator } from './table-generator.js';

const SIZE = { height: 28, width: 28, channels: 1 };

let evaluator: Evaluator;
beforeAll(async () => {
  evaluator = await openEvaluator('mnist', SIZE, { samples: 400 });
});
afterAll(() => evaluator.dispose());

async function evaluate(source: string | Uint8Array): Promise<Evaluation> {
  const generator = await Generator.load(source, { device: 'cpu' });
  try {
    return (await evaluator.evaluate(generator)).evaluation;
  } finally {
    await generator.dispose();
  }
}

const measured = ({ scores }: Evaluation, name: MeasureName): number =>
  scores[name]?.value ?? Number.NaN;
const floorOf = ({ scores }: Evaluation, name: MeasureName): number =>
  scores[name]?.floor ?? Number.NaN;

/** The first images of a label, or of any. */
function imagesOf({ images, labels }: Labelled, count: number, label?: number): Uint8Array {
  const found: number[] = [];
  for (let k = 0; found.length < count; k++) {
    if (label === undefined || labels?.[k] === label) found.push(k);
  }
  return Uint8Array.from(found.flatMap((k) => [...images.subarray(k * 784, (k + 1) * 784)]));
}

describe('the evaluation of dcgan-mnist', () => {
  let card: Evaluation;
  beforeAll(async () => {
    card = await evaluate('dcgan-mnist');
  });

  test('shows every seed, and reports the median', async () => {
    const thrice = await openEvaluator('mnist', SIZE, { samples: 150, seeds: [0, 1, 2] });
    const generator = await Generator.load('dcgan-mnist', { device: 'cpu' });
    const { evaluation } = await thrice.evaluate(generator);
    await generator.dispose();
    await thrice.dispose();
    const { value, seeds = [], interval = [0, 0] } = evaluation.scores.frechet ?? {};
    expect(new Set(seeds).size).toBe(3);
    expect(value).toBe([...seeds].sort((a, b) => a - b)[1]);
    expect(interval[0]).toBeLessThan(value as number);
    expect(interval[1]).toBeGreaterThan(value as number);
    expect(scorecardMarkdown(evaluation)).toContain(
      '150 images of each of the seeds 0, 1, 2 against',
    );
  });

  test('lies between noise and real images in every measure that has both', () => {
    const seen = Object.values(card.scores).filter(
      ({ floor, ceiling }) => floor !== undefined && ceiling !== undefined && floor !== ceiling,
    );
    expect(seen.length).toBeGreaterThan(7);
    for (const { value, floor = 0, ceiling = 0 } of seen) {
      // A tenth of the way beyond: 400 images are few.
      const share = (value - ceiling) / (floor - ceiling);
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThan(1.1);
    }
  });

  test('finds real images near other real ones, in both directions', () => {
    expect(Math.abs(floorOf(card, 'precision') - floorOf(card, 'recall'))).toBeLessThan(0.05);
    expect(floorOf(card, 'frechet')).toBeLessThan(measured(card, 'frechet') / 2);
    expect(floorOf(card, 'copies')).toBeLessThan(0.01);
  });

  test('says that 400 images are few', () => {
    expect(card.notes).toEqual([expect.stringContaining('biased upwards')]);
  });

  test('is a table, a part of a card, and an entry of the file', () => {
    const markdown = scorecardMarkdown(card);
    expect(markdown).toContain('400 images of seed 0 against 400 of mnist (its test set)');
    expect(markdown).toMatch(/^\| Fréchet distance \| \d+\.\d\d \| /m);
    expect(markdown).toContain(card.protocolHash);
    const [first] = qualityOf(card);
    expect(first).toMatchObject({ metric: 'frechet', value: measured(card, 'frechet') });
    expect(first?.protocol.startsWith(card.protocolHash)).toBe(true);
  });

  test('comes back from JSON as it was; an altered protocol is refused', () => {
    const json = JSON.stringify(card);
    expect(parseEvaluation(json, 'r.json')).toEqual(card);
    expect(() => parseEvaluation(json.replace('"samples":400', '"samples":500'), 'r.json')).toThrow(
      'r.json was altered: its protocol does not match its hash.',
    );
    expect(() => parseEvaluation('{}', 'r.json')).toThrow(
      /^r\.json is not a result of gpn-cli eval/,
    );
    expect(() => parseEvaluation('no', 'r.json')).toThrow(/^r\.json is not JSON/);
  });
});

describe('a generator that has collapsed', () => {
  test('to one image: duplicates, recall and diversity say so', async () => {
    const one = imagesOf(evaluator.real.reference, 1);
    const card = await evaluate(tableGenerator('constant', Uint8Array.from([...one, ...one])));
    expect(measured(card, 'duplicates')).toBe(1);
    expect(measured(card, 'recall')).toBeLessThan(0.02);
    expect(measured(card, 'coverage')).toBeLessThan(0.1);
    expect(measured(card, 'diversity')).toBe(0);
    expect(measured(card, 'classifierScore')).toBeCloseTo(1, 5);
    expect(measured(card, 'classDivergence')).toBeGreaterThan(2);
    expect(measured(card, 'deviation')).toBe(0);
  });

  test('to one class: the divergence of classes says so, precision does not', async () => {
    const card = await evaluate(
      tableGenerator('sevens', imagesOf(evaluator.real.reference, 200, 7)),
    );
    expect(measured(card, 'classDivergence')).toBeGreaterThan(2);
    expect(measured(card, 'precision')).toBeGreaterThan(0.8);
    expect(measured(card, 'coverage')).toBeLessThan(0.3);
  });

  test('to training images: copies says so, precision and recall do not', async () => {
    const card = await evaluate(tableGenerator('parrot', imagesOf(evaluator.real.train, 300)));
    expect(measured(card, 'copies')).toBe(1);
    expect(measured(card, 'precision')).toBeGreaterThan(0.8);
    expect(measured(card, 'recall')).toBeGreaterThan(0.6);
  });
});

describe('evaluation protocols', () => {
  const protocol = (): Protocol => evaluator.protocol;

  test('have a hash that every value goes into, in whatever order', () => {
    const { samples, ...rest } = protocol();
    expect(protocolHash({ samples, ...rest })).toBe(protocolHash(protocol()));
    const changed: Protocol[] = [
      { ...protocol(), samples: 399 },
      { ...protocol(), seeds: [0, 1] },
      { ...protocol(), features: { ...(protocol().features as FeaturesIdentity), sha256: '0' } },
      { ...protocol(), data: { ...protocol().data, hash: '0' } },
      { ...protocol(), sliced: SLICED },
    ];
    const hashes = [protocol(), ...changed].map(protocolHash);
    expect(new Set(hashes).size).toBe(6);
  });

  test('of mnist have the hash that published results have', () => {
    // models/pretrained/dcgan-mnist.md
    const { name, part, hash } = protocol().data;
    expect(
      protocolHash({ ...protocol(), samples: 10_000, data: { name, part, hash, count: 10_000 } }),
    ).toBe('ed162c1572d41e98872b9f9e19e03cdc738cab6a0d0202601e6ed4a0be978ded');
  });

  test('that differ are not compared, and the difference is told', () => {
    const other = { ...protocol(), samples: 10_000 };
    expect(protocolDifferences(protocol(), other)).toEqual(['samples (400, 10000)']);
    const result = (name: string, p: Protocol): Evaluation => ({
      version: 1,
      model: { name },
      protocol: p,
      protocolHash: protocolHash(p),
      scores: {},
      notes: [],
    });
    expect(() => checkComparable([result('a', protocol()), result('b', other)])).toThrow(
      'a and b were measured by different protocols, so their figures cannot be compared; they differ in samples (400, 10000).',
    );
    expect(() => checkComparable([result('a', other), result('b', other)])).not.toThrow();
  });
});
