import { spec } from '@gpn/export';
import { initialize, NETWORKS, type Network, type Pair } from '@gpn/models';
import { stream, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Images } from '../src/data/dataset.js';
import { drawCorners, fragmentBatch, fragmentIndices, sideOf } from '../src/data/fragments.js';
import { runEagerly } from '../src/eager.js';
import { compile, type State, type StepInputs, type StepOutputs } from '../src/engine.js';
import { adam } from '../src/optimizers.js';
import {
  DECEPTION_LOSSES,
  deceptionStep,
  fragmentStep,
  fragmentsOf,
} from '../src/steps/predictive.js';

const SIZE = { internal: 4, frame: 2 };
const SIDE = sideOf(SIZE);
const [FRAGMENTS, IMAGES, PLACES, LATENTS] = [8, 2, 3, 16];
const optimizer = adam({ beta1: 0.5, beta2: 0.999 });

const pairOf = (name: string): Pair =>
  (NETWORKS[name] as NonNullable<(typeof NETWORKS)[string]>)({
    latentSize: LATENTS,
    batchNorm: true,
    spectralNorm: name === 'gpn-mnist-large',
    fragment: SIZE,
    width: 1 / 8,
  });

const floats = (shape: number[], data: Float32Array): TensorData => ({
  dtype: 'float32',
  shape,
  data,
});
const specs = (of: Network['params']) =>
  Object.fromEntries(Object.entries(of).map(([name, { shape }]) => [name, spec(shape)]));
const frozen = ({ params, buffers }: Network) => ({
  params: specs(params),
  buffers: specs(buffers),
});
const trained = (network: Network) => ({
  ...frozen(network),
  optimizer: specs(optimizer.state(network.params)),
});

function startOf(pair: Pair, seed: number): State {
  const random = stream(seed, 'initialization');
  const groups = (['generator', 'discriminator'] as const).flatMap((role) => [
    [`${role}/params`, pair[role].params] as const,
    [`${role}/buffers`, pair[role].buffers] as const,
    [`${role}/optimizer`, optimizer.state(pair[role].params)] as const,
  ]);
  return Object.fromEntries(
    groups.flatMap(([prefix, of]) =>
      Object.entries(initialize(of, 'kaiming', (n) => random.normal(n))).map(
        ([name, { shape, data }]) => [`${prefix}/${name}`, floats([...shape], data)],
      ),
    ),
  );
}

const data: Images = {
  ...{ name: 'noise', count: 10, height: 28, width: 28, channels: 1 },
  images: Uint8Array.from(stream(0, 'images').uniform(7840, 0, 256)),
};

const places = (seed: number, step: number): TensorData => {
  const corners = drawCorners(stream(seed, 'places', step), PLACES, data, SIZE.internal);
  const indices = fragmentIndices(corners, data, SIZE);
  return { dtype: 'int32', shape: [indices.length], data: indices };
};
const latents = (seed: number, step: number): TensorData =>
  floats([IMAGES, LATENTS], stream(seed, 'latents', step).normal(IMAGES * LATENTS));

/** The discriminator's step, with or without the generator's fragments among the negatives. */
function learning(pair: Pair, rivalry: boolean, seed: number) {
  const rows = FRAGMENTS + (rivalry ? IMAGES * PLACES : 0);
  const { generator, discriminator } = pair;
  const settings = { discriminator, optimizer, size: SIZE };
  const inputs = {
    state: {
      discriminator: trained(discriminator),
      ...(rivalry && { generator: frozen(generator) }),
    },
    batch: {
      fragments: spec([FRAGMENTS, SIDE, SIDE, 1]),
      labels: spec([rows]),
      weights: spec([rows]),
      ...(rivalry && { places: spec([PLACES * SIDE * SIDE], 'int32') }),
    },
    noise: {
      dropout: Object.fromEntries(
        Object.entries(discriminator.noise).map(([name, shape]) => [name, spec([rows, ...shape])]),
      ),
      ...(rivalry && { latents: spec([IMAGES, LATENTS]) }),
    },
    rates: { discriminator: spec([]) },
  };
  const feeds = (step: number): State => {
    const options = { ...SIZE, negatives: { noise: 1, blur: 1, mismatch: 0.5 }, inverse: true };
    const random = stream(seed, 'fragments', step);
    const views = random.below(FRAGMENTS, 20);
    const made = fragmentBatch(data, views, FRAGMENTS, options, random);
    const extended = (values: Float32Array, more: number) => {
      const all = new Float32Array(rows).fill(more);
      all.set(values);
      return floats([rows], all);
    };
    return {
      'batch/fragments': floats([FRAGMENTS, SIDE, SIDE, 1], made.fragments),
      'batch/labels': extended(made.labels, 0),
      'batch/weights': extended(made.weights, 1),
      'rates/discriminator': floats([], Float32Array.of(1e-3)),
      ...Object.fromEntries(
        Object.entries(discriminator.noise).map(([name, shape]) => {
          const whole = [rows, ...shape];
          const n = whole.reduce((a, b) => a * b);
          return [`noise/dropout/${name}`, floats(whole, random.uniform(n, 0, 1))];
        }),
      ),
      ...(rivalry && { 'batch/places': places(seed, step), 'noise/latents': latents(seed, step) }),
    };
  };
  const step = fragmentStep({ ...settings, ...(rivalry && { rival: generator }) });
  return { step: step as unknown as Step, inputs, feeds };
}

function deceiving(
  { generator, discriminator }: Pair,
  loss: keyof typeof DECEPTION_LOSSES,
  seed: number,
) {
  const inputs = {
    state: { generator: trained(generator), discriminator: frozen(discriminator) },
    batch: { places: spec([PLACES * SIDE * SIDE], 'int32') },
    noise: { latents: spec([IMAGES, LATENTS]) },
    rates: { generator: spec([]) },
  };
  const feeds = (step: number): State => ({
    'batch/places': places(seed, step),
    'noise/latents': latents(seed, step),
    'rates/generator': floats([], Float32Array.of(1e-3)),
  });
  const step = deceptionStep({
    ...{ generator, discriminator, optimizer, size: SIZE },
    loss: DECEPTION_LOSSES[loss],
  });
  return { step: step as unknown as Step, inputs, feeds };
}

type Step = (inputs: never) => StepOutputs;
interface Case {
  readonly step: Step;
  readonly inputs: StepInputs;
  readonly feeds: (step: number) => State;
}

/** Largest difference over the largest magnitude. */
function distance(a: TensorData, b: TensorData): number {
  const [x, y] = [a.data as Float32Array, b.data as Float32Array];
  const scale = x.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-30);
  return x.reduce((m, v, i) => Math.max(m, Math.abs(v - (y[i] as number))), 0) / scale;
}

/** The state after some steps, compiled and by TF.js's cpu backend, and the metrics of each step. */
async function both({ step, inputs, feeds }: Case, start: State, steps: number) {
  const compiled = await compile(step as never, inputs, { device: 'cpu' });
  compiled.load(start);
  await tf.setBackend('cpu');
  let state = start;
  const metrics: { compiled: Record<string, number>; eager: Record<string, number> }[] = [];
  for (let k = 0; k < steps; k++) {
    const fast = await compiled.run(feeds(k));
    const eager = runEagerly(step as never, inputs, { state, feeds: feeds(k) });
    state = eager.state;
    metrics.push({ compiled: fast, eager: eager.metrics });
  }
  const after = compiled.state();
  await compiled.dispose();
  return { compiled: after, eager: state, metrics };
}

const CASES: [string, (pair: Pair) => Case][] = [
  ['the discriminator', (pair) => learning(pair, false, 1)],
  ['the discriminator with a rival', (pair) => learning(pair, true, 1)],
  ['the generator, by sigmoids', (pair) => deceiving(pair, 'sigmoid', 1)],
  ['the generator, by log-odds', (pair) => deceiving(pair, 'modified', 1)],
];

describe.each(['gpn-mnist', 'gpn-mnist-large'])(
  '%s at an eighth of its width: the step of',
  (name) => {
    it.each(CASES)('%s, compiled, equals the eager one within 1e-3 after 20', async (_, make) => {
      const pair = pairOf(name);
      const start = startOf(pair, 3);
      const { compiled, eager, metrics } = await both(make(pair), start, 20);
      for (const [key, tensor] of Object.entries(eager)) {
        expect(distance(compiled[key] as TensorData, tensor), key).toBeLessThan(1e-3);
      }
      for (const { compiled: fast, eager: slow } of metrics)
        for (const [key, value] of Object.entries(slow))
          expect(fast[key], key).toBeCloseTo(value, 3);
    });

    it.each(CASES)('%s moves its own network and no other', async (what, make) => {
      const pair = pairOf(name);
      const start = startOf(pair, 3);
      const { compiled } = await both(make(pair), start, 1);
      const own = what.startsWith('the generator') ? 'generator/' : 'discriminator/';
      for (const [key, tensor] of Object.entries(compiled)) {
        const moved = distance(start[key] as TensorData, tensor) > 0;
        if (!key.startsWith(own)) expect(moved, key).toBe(false);
        else if (key.includes('params/') && key.endsWith('kernel')) expect(moved, key).toBe(true);
      }
    });
  },
);

describe('the fragments of images', () => {
  it('are what `places` say, zeros around; their gradient counts how often a pixel was shown', async () => {
    await tf.setBackend('cpu');
    const images = tf.reshape(tf.range(0, 2 * 3 * 3), [2, 3, 3, 1]);
    const corners = { rows: Uint32Array.of(0, 2), columns: Uint32Array.of(0, 2) };
    const size = { internal: 1, frame: 1 };
    const indices = tf.tensor1d(fragmentIndices(corners, { width: 3 }, size), 'int32');
    expect([...fragmentsOf(images, indices, size).dataSync()]).toEqual([
      ...[0, 0, 0, 0, 0, 1, 0, 3, 4],
      ...[4, 5, 0, 7, 8, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 9, 10, 0, 12, 13],
      ...[13, 14, 0, 16, 17, 0, 0, 0, 0],
    ]);
    const counts = tf.grad((x) => tf.sum(fragmentsOf(x, indices, size)))(images);
    expect([...counts.dataSync()].slice(0, 9)).toEqual([1, 1, 0, 1, 2, 1, 0, 1, 1]);
  });
});

describe('the losses of the generator', () => {
  // Logits (fake, real): sure of fake, of real, undecided.
  const logits = () => tf.tensor2d([8, -8, -8, 8, 0, 0], [3, 2]);
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

  it('are their formulas', async () => {
    await tf.setBackend('cpu');
    expect(DECEPTION_LOSSES.sigmoid(logits()).dataSync()[0]).toBeCloseTo(
      sigmoid(8) + sigmoid(-8) + 0.5,
      5,
    );
    const real = [-16, 16, 0].map((margin) => -Math.log(sigmoid(margin)));
    expect(DECEPTION_LOSSES.modified(logits()).dataSync()[0]).toBeCloseTo(
      real.reduce((a, b) => a + b),
      4,
    );
  });

  it('by log-odds does not fade where the discriminator is sure', async () => {
    await tf.setBackend('cpu');
    const slope = (name: keyof typeof DECEPTION_LOSSES) =>
      Math.abs(tf.grad(DECEPTION_LOSSES[name])(logits()).dataSync()[0] as number);
    expect(slope('modified')).toBeGreaterThan(0.99);
    expect(slope('sigmoid')).toBeLessThan(0.001);
  });
});
