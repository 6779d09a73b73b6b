import { stream } from '@gpn/runtime';
import { describe, expect, test } from 'vitest';
import { classHistogram } from '../../src/data/format/labels.js';
import { assign } from '../../src/evaluation/metrics/assignment.js';
import {
  bootstrap,
  meanInterval,
  quantile,
  shareInterval,
} from '../../src/evaluation/metrics/bootstrap.js';
import {
  frechetDistance,
  frechetWithInterval,
  isSingular,
  type Moments,
  momentsOf,
} from '../../src/evaluation/metrics/frechet.js';
import { kernelDistance } from '../../src/evaluation/metrics/kernel.js';
import { neighbourScores } from '../../src/evaluation/metrics/neighbours.js';
import { nearestNeighbours } from '../../src/evaluation/metrics/pairs.js';
import { parzen, parzenLogLikelihood } from '../../src/evaluation/metrics/parzen.js';
import { average, type Rows, rowsOf, slice } from '../../src/evaluation/metrics/rows.js';
import {
  agreement,
  categoryError,
  classDivergence,
  classesOf,
  classifierScore,
  divergence,
  probabilitiesOf,
} from '../../src/evaluation/metrics/verdicts.js';
import { features } from './features.js';

const real = features(600, 16, 7);
const fake = features(500, 16, 11, 0.1, 0.9);

const normals = (count: number, size: number, seed: number): Rows =>
  rowsOf(stream(seed, 'test').normal(count * size), size);

const gaussian = (mean: number[], covariance: number[]): Moments => ({
  count: 1000,
  mean: Float64Array.from(mean),
  covariance: Float64Array.from(covariance),
});

describe('Fréchet distance', () => {
  test('of normal distributions along the axes: Σ (μ₁ − μ₂)² + (σ₁ − σ₂)²', () => {
    const a = gaussian([1, -2, 0.5], [4, 0, 0, 0, 0.25, 0, 0, 0, 9]);
    const b = gaussian([0, 1, 0.5], [1, 0, 0, 0, 0.49, 0, 0, 0, 16]);
    const expected = 1 + 9 + (2 - 1) ** 2 + (0.5 - 0.7) ** 2 + (3 - 4) ** 2;
    expect(Math.abs(frechetDistance(a, b) - expected)).toBeLessThan(1e-6);
    expect(Math.abs(frechetDistance(b, a) - expected)).toBeLessThan(1e-6);
    expect(Math.abs(frechetDistance(a, a))).toBeLessThan(1e-6);
  });

  test('of two dimensions in general: tr √(AB) = √(tr AB + 2 √det AB)', () => {
    const [a, b] = [
      [2, 0.8, 0.8, 1],
      [1, -0.6, -0.6, 3],
    ] as [number[], number[]];
    const [a0, a1, a2, a3] = a as [number, number, number, number];
    const [b0, b1, b2, b3] = b as [number, number, number, number];
    const trace = a0 * b0 + a1 * b2 + a2 * b1 + a3 * b3;
    const det = (a0 * a3 - a1 * a2) * (b0 * b3 - b1 * b2);
    const expected = a0 + a3 + b0 + b3 - 2 * Math.sqrt(trace + 2 * Math.sqrt(det));
    const found = frechetDistance(gaussian([0, 0], a), gaussian([0, 0], b));
    expect(Math.abs(found - expected)).toBeLessThan(1e-6);
  });

  test('of singular covariances: a line against a plane it lies in', () => {
    // Variance 4 along one axis, and none along the other: (2 − 1)² + (0 − 1)².
    const line = gaussian([0, 0], [4, 0, 0, 0]);
    const plane = gaussian([0, 0], [1, 0, 0, 1]);
    expect(Math.abs(frechetDistance(line, plane) - 2)).toBeLessThan(1e-6);
  });

  test('is torch-fidelity’s, with covariances of full rank and without', () => {
    // golden.py
    const found = frechetDistance(momentsOf(real), momentsOf(fake));
    expect(Math.abs(found - 0.23044479441236998)).toBeLessThan(1e-6);
    const [few, fewer] = [
      momentsOf(features(10, 16, 7)),
      momentsOf(features(12, 16, 11, 0.1, 0.9)),
    ];
    expect([isSingular(few), isSingular(momentsOf(real))]).toEqual([true, false]);
    expect(Math.abs(frechetDistance(few, fewer) - 0.610064727203707)).toBeLessThan(1e-4);
  });

  test('of samples nears that of their distributions, which its interval holds', () => {
    const a = normals(100_000, 4, 1); // as good as exact
    const b = rowsOf(
      normals(4000, 4, 2).data.map((x) => 2 * x + 1),
      4,
    );
    const { value, interval = [0, 0] } = frechetWithInterval(a, b);
    expect(value).toBeCloseTo(frechetDistance(momentsOf(a), momentsOf(b)), 9);
    expect(interval[0]).toBeLessThan(8);
    expect(interval[1]).toBeGreaterThan(8);
    expect(interval[1] - interval[0]).toBeLessThan(1);
  });

  test('refuses what has no covariance, and features of another kind', () => {
    expect(() => momentsOf(slice(real, 0, 1))).toThrow(/at least two rows/);
    expect(() => frechetDistance(momentsOf(real), momentsOf(features(50, 8, 7)))).toThrow(/16/);
  });
});

describe('kernel distance', () => {
  test('is torch-fidelity’s', async () => {
    const { value } = await kernelDistance(slice(real, 0, 500), fake);
    expect(Math.abs(value - 0.031012457223979162)).toBeLessThan(1e-4); // golden.py
  });

  test('is 0 on average between equal distributions, within its standard errors', async () => {
    const { value, error, blocks } = await kernelDistance(
      normals(2000, 8, 1),
      normals(2000, 8, 2),
      {
        blockSize: 100,
      },
    );
    expect(blocks).toBe(20);
    expect(Math.abs(value)).toBeLessThan(4 * error);
    const apart = await kernelDistance(normals(2000, 8, 1), fakeShift(normals(2000, 8, 2)), {
      blockSize: 100,
    });
    expect(apart.value).toBeGreaterThan(10 * apart.error);
  });
});

const fakeShift = (x: Rows): Rows =>
  rowsOf(
    x.data.map((v) => v + 1),
    x.size,
  );

describe('nearest neighbours', () => {
  test('are those that a loop finds', async () => {
    const found = await nearestNeighbours(fake, real, 3);
    for (const q of [0, 123, 499]) {
      const distances = Array.from({ length: real.count }, (_, r) => {
        let sum = 0;
        for (let i = 0; i < 16; i++) {
          sum += ((fake.data[q * 16 + i] as number) - (real.data[r * 16 + i] as number)) ** 2;
        }
        return { r, sum };
      }).sort((a, b) => a.sum - b.sum);
      for (let k = 0; k < 3; k++) {
        expect(found.places[3 * q + k]).toBe(distances[k]?.r);
        expect(found.squared[3 * q + k]).toBeCloseTo(distances[k]?.sum as number, 5);
      }
    }
  });

  test('precision, recall, density and coverage are prdc’s', async () => {
    const scores = await neighbourScores(real, fake, 5);
    // golden.py
    expect(average(scores.precision)).toBeCloseTo(0.58, 4);
    expect(average(scores.recall)).toBeCloseTo(0.7516666666666667, 4);
    expect(average(scores.density)).toBeCloseTo(0.41559999999999997, 4);
    expect(average(scores.coverage)).toBeCloseTo(0.39666666666666667, 4);
  });

  test('with the roles swapped, precision is recall', async () => {
    const [there, back] = [
      await neighbourScores(real, fake, 5),
      await neighbourScores(fake, real, 5),
    ];
    expect(average(back.precision)).toBe(average(there.recall));
    expect(average(back.recall)).toBe(average(there.precision));
    expect(average(there.recall) - average(there.precision)).toBeGreaterThan(0.1);
  });

  test('of one distribution with itself they are alike in both directions', async () => {
    const scores = await neighbourScores(normals(1500, 6, 1), normals(1500, 6, 2), 5);
    expect(Math.abs(average(scores.precision) - average(scores.recall))).toBeLessThan(0.05);
    expect(average(scores.coverage)).toBeGreaterThan(0.9);
    expect(Math.abs(average(scores.density) - 1)).toBeLessThan(0.1);
  });
});

describe('verdicts', () => {
  const logits = features(400, 10, 13, 0, 8);

  test('the classifier score is torch-fidelity’s', () => {
    const { value, interval } = classifierScore(probabilitiesOf(logits));
    expect(Math.abs(value - 2.162172201405042)).toBeLessThan(1e-9); // golden.py
    expect(interval[0]).toBeLessThan(value);
    expect(interval[1]).toBeGreaterThan(value);
  });

  test('the classifier score is 1 of images that are alike, and the number of sure classes', () => {
    const sure = rowsOf(
      Float64Array.from(
        { length: 1000 },
        (_, i) => 50 * Number(i % 10 === Math.floor(i / 10) % 10),
      ),
      10,
    );
    expect(classifierScore(probabilitiesOf(sure)).value).toBeCloseTo(10, 6);
    const alike = rowsOf(
      Float64Array.from({ length: 1000 }, (_, i) => i % 10),
      10,
    );
    expect(classifierScore(probabilitiesOf(alike)).value).toBeCloseTo(1, 9);
    expect([...classesOf(sure)].slice(0, 3)).toEqual([0, 1, 2]);
  });

  test('the divergence of classes', () => {
    expect(divergence([0.5, 0.5], [0.25, 0.75])).toBeCloseTo(
      0.5 * Math.log(2) + 0.5 * Math.log(2 / 3),
      12,
    );
    expect(divergence([1, 0], [0, 1])).toBe(Number.POSITIVE_INFINITY);
    const even = classHistogram([0, 1, 2, 3], 4);
    expect([...even]).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(classDivergence(new Uint8Array(200).fill(2), even).value).toBeCloseTo(Math.log(4), 12);
    // What the data lacks altogether.
    expect(classDivergence([0, 1, 1], Float64Array.of(1, 0))).toEqual({
      value: Number.POSITIVE_INFINITY,
    });
  });

  test('agreement is 1 for images of the class that was asked for', () => {
    expect([...agreement([1, 2, 3], [1, 0, 3])]).toEqual([1, 0, 1]);
  });

  test('the cheapest assignment is that of trying all', () => {
    const permutations = (items: number[]): number[][] =>
      items.length === 0
        ? [[]]
        : items.flatMap((x) => permutations(items.filter((y) => y !== x)).map((p) => [x, ...p]));
    const all = permutations([0, 1, 2, 3, 4, 5]);
    for (let seed = 0; seed < 30; seed++) {
      const values = stream(seed, 'costs').below(36, seed % 2 ? 4 : 1000);
      const costs = Array.from({ length: 6 }, (_, i) => [...values.subarray(6 * i, 6 * i + 6)]);
      const total = (p: number[]) => p.reduce((sum, c, r) => sum + (costs[r]?.[c] as number), 0);
      const found = assign(costs);
      expect([...found].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      expect(total(found)).toBe(Math.min(...all.map(total)));
    }
  });

  test('categories count as the classes they fit best', () => {
    const labels = Array.from({ length: 300 }, (_, i) => i % 3);
    const renamed = labels.map((label) => (label + 1) % 3);
    expect(categoryError(renamed, labels, 3)).toEqual({ error: 0, matching: [2, 0, 1] });
    const wrong = renamed.map((category, i) => (i < 30 ? (category + 1) % 3 : category));
    expect(categoryError(wrong, labels, 3).error).toBeCloseTo(0.1, 12);
  });
});

describe('confidence intervals', () => {
  test('of a mean: about two standard errors on either side', () => {
    const x = normals(10_000, 1, 3).data;
    const [low, high] = meanInterval(x);
    expect((low + high) / 2).toBeCloseTo(average(x), 2);
    expect(high - low).toBeGreaterThan(0.03);
    expect(high - low).toBeLessThan(0.05);
  });

  test('are moved by their bias', () => {
    // The largest of a sample: resamples miss it often, and never exceed it.
    const [, high] = bootstrap(50, (chosen) => Math.max(...chosen));
    expect(high).toBeGreaterThan(49);
  });

  test('quantiles lie between neighbours', () => {
    expect(quantile([1, 2, 3, 5], 0.5)).toBe(2.5);
    expect([quantile([4], 0.9), quantile([1, 3], 1)]).toEqual([4, 3]);
  });
});

test('the Parzen log-likelihood of a window around one point is the normal density', async () => {
  const at = rowsOf(Float32Array.of(0.5, 0.25), 2);
  const [value] = await parzenLogLikelihood(at, rowsOf(Float32Array.of(0.5, 0.55), 2), 0.3);
  expect(value).toBeCloseTo(-Math.log(2 * Math.PI * 0.09) - 0.09 / (2 * 0.09), 5);
});

test('Parzen’s width is chosen on validation images', async () => {
  // Samples of N(0, 1) in one dimension: the true log-likelihood is −½ ln 2πe = −1.419.
  const { value, error, sigma } = await parzen(
    normals(2000, 1, 1),
    normals(500, 1, 2),
    normals(2000, 1, 3),
  );
  expect(Math.abs(value + 1.4189)).toBeLessThan(4 * error);
  expect(sigma).toBeGreaterThan(0.1);
  expect(sigma).toBeLessThan(0.6);
});

describe('the interval of a share', () => {
  test.each([
    // scipy.stats.binomtest(k, n).proportion_ci(method="wilson"), SciPy 1.18
    [8, 10, 0.4901624715366418, 0.9433178485456248],
    [10, 10, 0.7224672001371109, 1],
    [0, 1000, 0, 0.0038267584855551234],
    [9997, 10_000, 0.9991182642277636, 0.9998979678005822],
  ])('of %i in %i is Wilson’s, as SciPy has it', (hits, count, low, high) => {
    const found = shareInterval(Float32Array.from({ length: count }, (_, k) => Number(k < hits)));
    expect(found[0]).toBeCloseTo(low, 9);
    expect(found[1]).toBeCloseTo(high, 9);
  });

  test('by the bootstrap does not pass 1 either', () => {
    for (let missed = 1; missed < 6; missed++) {
      const hits = Float32Array.from({ length: 1000 }, (_, k) => Number(k >= missed));
      expect(meanInterval(hits)[1]).toBeLessThanOrEqual(1);
    }
  });
});
