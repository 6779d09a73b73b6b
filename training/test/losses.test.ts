import { spec } from '@gpn/export';
import type { TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../src/engine/compiled.js';
import { runEagerly } from '../src/engine/eager.js';
import { LOSSES, type LossPair } from '../src/gan/losses.js';
import '@tensorflow/tfjs-backend-cpu';

type Numbers = readonly number[];
/** A loss in float64, as its paper writes it. */
interface Paper {
  discriminator(real: Numbers, fake: Numbers, smoothing: number): number;
  generator(fake: Numbers, real: Numbers): number;
}

const mean = (xs: Numbers, f: (x: number) => number = (x) => x) =>
  xs.reduce((sum, x) => sum + f(x), 0) / xs.length;
const logD = (x: number) => Math.log(1 / (1 + Math.exp(-x)));
const log1D = (x: number) => Math.log(1 - 1 / (1 + Math.exp(-x)));
/** −E[(1 − s) log D(x) + s log(1 − D(x))] − E[log(1 − D(G(z)))] */
const classic = (real: Numbers, fake: Numbers, s: number) =>
  -mean(real, (x) => (1 - s) * logD(x) + s * log1D(x)) - mean(fake, log1D);
const lessMean = (xs: Numbers, others: Numbers) => xs.map((x) => x - mean(others));

const PAPERS: Record<string, Paper> = {
  minimax: { discriminator: classic, generator: (fake) => mean(fake, log1D) },
  modified: { discriminator: classic, generator: (fake) => -mean(fake, logD) },
  least_squares: {
    discriminator: (real, fake, s) =>
      mean(real, (x) => (x - (1 - s)) ** 2) / 2 + mean(fake, (x) => x ** 2) / 2,
    generator: (fake) => mean(fake, (x) => (x - 1) ** 2) / 2,
  },
  wasserstein: {
    discriminator: (real, fake) => mean(fake) - mean(real),
    generator: (fake) => -mean(fake),
  },
  hinge: {
    discriminator: (real, fake) =>
      mean(real, (x) => Math.max(0, 1 - x)) + mean(fake, (x) => Math.max(0, 1 + x)),
    generator: (fake) => -mean(fake),
  },
  relativistic: {
    discriminator: (real, fake, s) => classic(lessMean(real, fake), lessMean(fake, real), s),
    generator: (fake, real) => classic(lessMean(fake, real), lessMean(real, fake), 0),
  },
  relativistic_pairs: {
    discriminator: (real, fake) => -mean(real.map((x, i) => logD(x - (fake[i] as number)))),
    generator: (fake, real) => -mean(fake.map((x, i) => logD(x - (real[i] as number)))),
  },
};

// Between the labels and within the margins, so that no loss is at rest; and far outside of them.
const NEAR = { real: [0.2, 0.7, 0.4], fake: [0.1, 0.6, 0.3] };
const FAR = { real: [3, -7, 1.5], fake: [-4, 6, 2.5] };

const column = (xs: Numbers) => tf.tensor([...xs], [xs.length, 1]);
const numbers = (t: tf.Tensor) => Array.from(t.dataSync());
const expectClose = (found: Numbers, expected: Numbers, within: number) => {
  const size = Math.max(1, ...expected.map(Math.abs));
  expect(found.length).toBe(expected.length);
  found.forEach((x, i) => {
    expect(Math.abs(x - (expected[i] as number)) / size).toBeLessThan(within);
  });
};

/** The gradient of a function of many numbers by central differences. */
const differences = (f: (xs: Numbers) => number, at: Numbers): number[] =>
  at.map((_, i) => {
    const moved = (by: number) => f(at.map((x, j) => (i === j ? x + by : x)));
    return (moved(1e-6) - moved(-1e-6)) / 2e-6;
  });

beforeAll(async () => {
  await tf.setBackend('cpu');
});

it('every loss is in the specification of losses', () => {
  expect(Object.keys(PAPERS).sort()).toEqual(Object.keys(LOSSES).sort());
});

// The oracle is the paper's formula in float64.
describe.each(Object.entries(PAPERS))('the loss %s', (name, paper) => {
  const loss = LOSSES[name] as LossPair;
  const smoothings = loss.smoothing ? [0, 0.1] : [0];

  it.each([NEAR, FAR])('is its paper’s mean over the batch, for %o', ({ real, fake }) => {
    for (const s of smoothings) {
      const d = loss.discriminator(column(real), column(fake), s);
      expect(d.shape).toEqual([]);
      expectClose(numbers(d), [paper.discriminator(real, fake, s)], 1e-5);
    }
    const g = loss.generator(column(fake), () => column(real));
    expect(g.shape).toEqual([]);
    expectClose(numbers(g), [paper.generator(fake, real)], 1e-5);
  });

  it.each([NEAR, FAR])('has the gradients of its paper, at %o', ({ real, fake }) => {
    const inputs = [column(real), column(fake)];
    const dLoss = (r: tf.Tensor, f: tf.Tensor) => loss.discriminator(r, f, 0);
    const [dReal, dFake] = tf.grads(dLoss)(inputs).map(numbers) as [number[], number[]];
    const dPaper = (r: Numbers, f: Numbers) => paper.discriminator(r, f, 0);
    expectClose(
      dReal,
      differences((r) => dPaper(r, fake), real),
      1e-4,
    );
    expectClose(
      dFake,
      differences((f) => dPaper(real, f), fake),
      1e-4,
    );
    const gFake = numbers(tf.grad((f) => loss.generator(f, () => column(real)))(column(fake)));
    expectClose(
      gFake,
      differences((f) => paper.generator(f, real), fake),
      1e-4,
    );
  });

  it('teaches the discriminator to tell real from fake, and the generator to undo it', () => {
    const [real, fake] = [column(NEAR.real), column(NEAR.fake)];
    const dLoss = (r: tf.Tensor, f: tf.Tensor) => loss.discriminator(r, f, 0);
    const [dReal, dFake] = tf.grads(dLoss)([real, fake]).map(numbers) as [number[], number[]];
    const gFake = numbers(tf.grad((f) => loss.generator(f, () => real))(fake));
    // Descent raises the scores of real images and lowers those of fakes; the generator raises them.
    expect(Math.max(...dReal)).toBeLessThan(0);
    expect(Math.min(...dFake)).toBeGreaterThan(0);
    expect(Math.max(...gFake)).toBeLessThan(0);
  });

  it('stays finite for scores of ±1,000', () => {
    const [high, low] = [column([1000]), column([-1000])];
    const losses = [
      loss.discriminator(low, high, 0),
      loss.discriminator(high, low, 0),
      loss.generator(low, () => high),
      loss.generator(high, () => low),
    ];
    for (const value of losses) expect(numbers(value)[0]).toSatisfy(Number.isFinite);
  });

  it('refuses a smoothing that it has no label for', () => {
    const smoothed = () => loss.discriminator(column(NEAR.real), column(NEAR.fake), 0.1);
    if (loss.smoothing) expect(smoothed).not.toThrow();
    else expect(smoothed).toThrow('this loss has no label to smooth');
  });

  it('compiles: its values and gradients are those of TF.js', async () => {
    const step = ({ state }: { state: { real: tf.Tensor; fake: tf.Tensor } }) => {
      const scores = [state.real, state.fake];
      const d = tf.valueAndGrads(
        (r: tf.Tensor, f: tf.Tensor) => loss.discriminator(r, f, 0) as tf.Scalar,
      )(scores);
      const g = tf.valueAndGrads(
        (f: tf.Tensor) => loss.generator(f, () => state.real) as tf.Scalar,
      )([state.fake]);
      return {
        state: {
          real: d.grads[0] as tf.Tensor,
          fake: tf.add(d.grads[1] as tf.Tensor, g.grads[0] as tf.Tensor),
        },
        metrics: { discriminator: d.value, generator: g.value },
      };
    };
    const specs = { state: { real: spec([3, 1]), fake: spec([3, 1]) } };
    const data = (xs: Numbers): TensorData => ({
      dtype: 'float32',
      shape: [3, 1],
      data: Float32Array.from(xs),
    });
    const state = { real: data(FAR.real), fake: data(FAR.fake) };
    const compiled = await compile(step, specs, { device: 'cpu' });
    compiled.load(state);
    const metrics = await compiled.run({});
    const eager = runEagerly(step, specs, { state, feeds: {} });
    expectClose(Object.values(metrics), Object.values(eager.metrics), 1e-5);
    for (const part of ['real', 'fake']) {
      const found = compiled.state()[part]?.data as Float32Array;
      expectClose(Array.from(found), Array.from(eager.state[part]?.data as Float32Array), 1e-5);
    }
    await compiled.dispose();
  });
});
