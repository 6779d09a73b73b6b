/** Generators that have collapsed, each recognised by the metric that is there for it. */
import { beforeAll, describe, expect, test } from 'vitest';
import { classHistogram } from '../../src/data/format/labels.js';
import { loadDataset } from '../../src/data/sets/dataset.js';
import { duplicates, memorised } from '../../src/evaluation/metrics/copies.js';
import { pairDistances, pixelDeviation } from '../../src/evaluation/metrics/diversity.js';
import { neighbourScores } from '../../src/evaluation/metrics/neighbours.js';
import { average, pick, type Rows, rowsOf, slice } from '../../src/evaluation/metrics/rows.js';
import { classDivergence } from '../../src/evaluation/metrics/verdicts.js';

const SIZE = { height: 28, width: 28, channels: 1 };
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

let train: Rows;
let testing: Rows;
let labels: Uint8Array;
beforeAll(async () => {
  const [forTraining, forTest] = [
    await loadDataset('mnist', SIZE),
    await loadDataset('mnist', { ...SIZE, split: 'test' }),
  ];
  const pixels = (bytes: Uint8Array) =>
    rowsOf(
      Float32Array.from(bytes, (b) => b / 255),
      784,
    );
  train = pixels(forTraining.images.subarray(0, 3000 * 784));
  testing = pixels(forTest.images.subarray(0, 500 * 784));
  labels = (forTest.labels as Uint8Array).slice(0, 500);
});

describe('a generator of one image only', () => {
  test('is found by duplicates, recall, diversity and variance', async () => {
    const constant = pick(testing, new Array(500).fill(3));
    expect(average(await duplicates(constant))).toBe(1);
    expect(average((await neighbourScores(testing, constant, 5)).recall)).toBeLessThan(0.01);
    expect(average(pairDistances(constant))).toBe(0);
    expect(pixelDeviation(constant)).toBe(0);
    // Real images are none of this.
    expect(average(await duplicates(testing))).toBeLessThan(0.01);
    expect(average(pairDistances(testing))).toBeGreaterThan(5);
    expect(pixelDeviation(testing)).toBeGreaterThan(0.15);
  });
});

describe('a generator of one class only', () => {
  test('is found by the classes’ divergence and by recall, not by precision', async () => {
    const sevens = range(500).filter((k) => labels[k] === 7);
    const share = classHistogram(labels, 10)[7] as number;
    const judged = sevens.map((k) => labels[k] as number);
    const { value } = classDivergence(judged, classHistogram(labels, 10));
    expect(value).toBeCloseTo(Math.log(1 / share), 9);
    const scores = await neighbourScores(testing, pick(testing, sevens), 5);
    expect(average(scores.precision)).toBe(1);
    expect(average(scores.recall)).toBeLessThan(0.5);
    expect(average(scores.coverage)).toBeLessThan(0.5);
  });
});

describe('a generator of training images', () => {
  test('is found by its nearest training images, and nothing else', async () => {
    const places = range(400).map((i) => (i * 7) % 3000);
    // Not quite the same: a little darker.
    const learnt = rowsOf(
      pick(train, places).data.map((x) => 0.95 * x),
      784,
    );
    const found = await memorised(learnt, [slice(train, 0, 1000), slice(train, 1000, 3000)]);
    expect([...found.places]).toEqual(places);
    expect(average(found.copies)).toBeGreaterThan(0.99);
    const unseen = await memorised(testing, [train]);
    expect(average(unseen.copies)).toBeLessThan(0.01);
    expect(average(await duplicates(learnt))).toBeLessThan(0.01);
    const scores = await neighbourScores(testing, learnt, 5);
    expect(average(scores.recall)).toBeGreaterThan(0.3);
  });
});
