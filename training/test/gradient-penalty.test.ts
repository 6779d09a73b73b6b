import { spec } from '@gpn/export';
import { initialize, NETWORKS, type Network, type Pair, type Tensors } from '@gpn/models';
import { stream, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../src/engine/compiled.js';
import { runEagerly } from '../src/engine/eager.js';
import type { State } from '../src/engine/types.js';
import { LOSSES, type LossPair } from '../src/gan/losses.js';
import { clip, gradientPenalty, slopePenalty } from '../src/steps/gradient-penalty.js';
import { differentiate, scoresAndSlopes } from '../src/steps/gradients.js';
import { type Layer, pairsLossOf, type Row, wganLossOf } from './float64-critic.js';
import '@tensorflow/tfjs-backend-cpu';

const BATCH = 2;
const PIXELS = 28 * 28;
const WIDTH = 1 / 8;
const wasserstein = LOSSES.wasserstein as LossPair;
const pairs = LOSSES.relativistic_pairs as LossPair;
/** γ of R1 and of R2. */
const WEIGHTS = [3, 0.7] as const;

// The critics' tables once more, for the float64 reference.
const CRITICS: Readonly<Record<string, readonly Layer[]>> = {
  'dcgan-mnist': [
    { name: 'conv1', from: [28, 28, 1], to: [14, 14, 4], k: 4, s: 2, p: 1, slope: 0.2 },
    { name: 'conv2', from: [14, 14, 4], to: [8, 8, 8], k: 2, s: 2, p: 1, slope: 0.2 },
    { name: 'conv3', from: [8, 8, 8], to: [4, 4, 16], k: 4, s: 2, p: 1, slope: 0.2 },
    { name: 'conv4', from: [4, 4, 16], to: [1, 1, 1], k: 4, s: 1, p: 0, slope: 1 },
  ],
  // A dense layer is a convolution of one pixel.
  'mlp-mnist': [
    { name: 'dense1', from: [1, 1, PIXELS], to: [1, 1, 64], k: 1, s: 1, p: 0, slope: 0.2 },
    { name: 'dense2', from: [1, 1, 64], to: [1, 1, 32], k: 1, s: 1, p: 0, slope: 0.2 },
    { name: 'dense3', from: [1, 1, 32], to: [1, 1, 1], k: 1, s: 1, p: 0, slope: 1 },
  ],
};

const criticOf = (name: string): Network =>
  (NETWORKS[name] as (options: object) => Pair)({
    latentSize: 1,
    batchNorm: false,
    spectralNorm: false,
    width: WIDTH,
  }).discriminator;

const floats = (data: Float32Array, shape: readonly number[]): TensorData => ({
  dtype: 'float32',
  shape: [...shape],
  data,
});

/** Weights, with biases that are not zero, and a batch of images. */
function example(critic: Network) {
  const random = stream(11, 'gradient penalty');
  const weights = initialize(critic.params, 'kaiming', (n) => random.normal(n));
  const params: State = Object.fromEntries(
    Object.entries(weights).map(([name, { shape, data }]) => [
      name,
      floats(name.endsWith('bias') ? random.normal(data.length) : data, shape),
    ]),
  );
  const images = () => floats(random.uniform(BATCH * PIXELS, 0, 1), [BATCH, 28, 28, 1]);
  const epsilon = floats(Float32Array.of(0.3, 0.9), [BATCH, 1]);
  return { params, real: images(), fake: images(), epsilon };
}

const specsOf = (state: State) =>
  Object.fromEntries(Object.entries(state).map(([name, { shape }]) => [name, spec(shape)]));

type Inputs = {
  state: Tensors;
  batch: { real: tf.Tensor; fake: tf.Tensor };
  noise: { epsilon: tf.Tensor };
};

type Judge = (x: tf.Tensor) => tf.Tensor;
type Float64Loss = (
  layers: readonly Layer[],
  weights: Record<string, Float64Array>,
  batch: readonly Row[],
) => number;

/** The penalised losses of a critic: as the steps compute them, and in float64. */
const PENALISED: Readonly<
  Record<string, { of(judge: Judge, inputs: Inputs): tf.Tensor; float64: Float64Loss }>
> = {
  'WGAN-GP': {
    of(judge, { batch: { real, fake }, noise: { epsilon } }) {
      const told = wasserstein.discriminator(judge(real), judge(fake), 0);
      return tf.add(told, tf.mul(gradientPenalty(judge, real, fake, epsilon), 10));
    },
    float64: wganLossOf,
  },
  'R1 and R2': {
    of(judge, { batch }) {
      const [real, fake] = [batch.real, batch.fake].map((images) =>
        scoresAndSlopes((x) => ({ y: judge(x), aux: {} }), images),
      ) as [ReturnType<typeof scoresAndSlopes>, ReturnType<typeof scoresAndSlopes>];
      const told = pairs.discriminator(real.y, fake.y, 0);
      const [r1, r2] = WEIGHTS.map((weight) => tf.scalar(weight)) as [tf.Scalar, tf.Scalar];
      return tf.add(told, tf.add(slopePenalty(real.slopes, r1), slopePenalty(fake.slopes, r2)));
    },
    float64: (layers, weights, batch) => pairsLossOf(layers, weights, batch, WEIGHTS),
  },
};

/** A step whose next state is the gradient of a critic's loss. */
const gradientStep =
  (critic: Network, lossOf: (judge: Judge, inputs: Inputs) => tf.Tensor) => (inputs: Inputs) => {
    const { loss, grads } = differentiate((params) => {
      const judge = (x: tf.Tensor) => critic.apply(params, {}, x, { training: true }).y;
      return { loss: lossOf(judge, inputs), aux: {} };
    }, inputs.state);
    return { state: grads, metrics: { loss } };
  };

const largest = (xs: ArrayLike<number>) =>
  Array.from(xs).reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** The penalty of a critic whose scores are linear, w · x, is (‖w‖ − 1)². */
const linear = (w: number[]) => (x: tf.Tensor) =>
  tf.matMul(tf.reshape(x, [-1, w.length]) as tf.Tensor2D, tf.tensor2d(w, [w.length, 1]));

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const CASES = Object.keys(CRITICS).flatMap((name) =>
  Object.keys(PENALISED).map((kind) => [kind, name] as const),
);

describe.each(CASES)('the penalty of %s, with %s’s critic,', (kind, name) => {
  const layers = CRITICS[name] as readonly Layer[];
  const { of, float64 } = PENALISED[kind] as (typeof PENALISED)[string];
  const critic = criticOf(name);
  const { params, real, fake, epsilon } = example(critic);
  const feeds = { 'batch/real': real, 'batch/fake': fake, 'noise/epsilon': epsilon };
  const inputs = {
    state: specsOf(params),
    batch: { real: spec(real.shape), fake: spec(fake.shape) },
    noise: { epsilon: spec(epsilon.shape) },
  };
  const step = gradientStep(critic, of) as never;
  const eager = () => runEagerly(step, inputs, { state: params, feeds });

  // The oracle is a float64 critic in plain loops, and its penalty's central differences.
  it('has the value and the gradient that float64 says', () => {
    const batch = Array.from({ length: BATCH }, (_, i) => {
      const share = epsilon.data[i] as number;
      const pixels = ({ data }: TensorData) =>
        Float64Array.from(data as Float32Array).slice(i * PIXELS, (i + 1) * PIXELS);
      const [x, y] = [pixels(real), pixels(fake)];
      return {
        real: x,
        fake: y,
        mixed: x.map((v, j) => share * v + (1 - share) * (y[j] as number)),
      };
    });
    const weights = Object.fromEntries(
      Object.entries(params).map(([key, { data }]) => [
        key,
        Float64Array.from(data as Float32Array),
      ]),
    );
    const loss = () => float64(layers, weights, batch);
    const found = eager();
    expect((found.metrics.loss as number) / loss()).toBeCloseTo(1, 5);

    const random = stream(5, 'places');
    for (const [key, values] of Object.entries(weights)) {
      const gradient = found.state[key]?.data as Float32Array;
      expect(gradient.length, key).toBe(values.length);
      const magnitude = largest(gradient);
      // What is added to every score changes no difference and no slope.
      if (key === 'dense3/bias') expect(magnitude, key).toBeLessThan(1e-6);
      else expect(magnitude, key).toBeGreaterThan(1e-3);
      for (const place of random.uniform(12, 0, values.length)) {
        const i = Math.floor(place);
        const moved = (by: number) => {
          const before = values[i] as number;
          values[i] = before + by;
          const value = loss();
          values[i] = before;
          return value;
        };
        const difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        const off = Math.abs((gradient[i] as number) - difference);
        expect(off / Math.max(magnitude, 1e-3), `${key}[${i}]`).toBeLessThan(1e-4);
      }
    }
  });

  it('compiles: value and gradient are those of TF.js', async () => {
    const compiled = await compile(step, inputs, { device: 'cpu' });
    compiled.load(params);
    const metrics = await compiled.run(feeds);
    const wanted = eager();
    expect(metrics.loss).toBeCloseTo(wanted.metrics.loss as number, 4);
    for (const [key, { data }] of Object.entries(wanted.state)) {
      const found = compiled.state()[key]?.data as Float32Array;
      const gap = (data as Float32Array).map((x, i) => x - (found[i] as number));
      expect(largest(gap) / Math.max(largest(data as Float32Array), 1e-3), key).toBeLessThan(1e-4);
    }
    await compiled.dispose();
  });
});

describe('the gradient penalty', () => {
  const image = (...pixels: number[]) => tf.tensor(pixels, [1, 2, 1, 2]);
  const half = tf.tensor([0.5], [1, 1]);

  it('takes the norm over all pixels and channels of an image', () => {
    const [real, fake] = [image(1, 2, 3, 4), image(0, 0, 0, 0)];
    const penalty = gradientPenalty(linear([2, 4, 4, 8]), real, fake, half);
    expect(penalty.dataSync()[0]).toBeCloseTo((10 - 1) ** 2, 4);
  });

  it('mixes each image by one number', () => {
    const seen: number[][] = [];
    const critic = (x: tf.Tensor) => {
      seen.push(Array.from(x.dataSync()));
      return linear([1, 0])(x);
    };
    const real = tf.tensor([10, 20, 30, 40], [2, 1, 1, 2]);
    gradientPenalty(critic, real, tf.zeros([2, 1, 1, 2]), tf.tensor([0.1, 0.5], [2, 1]));
    seen[0]?.forEach((x, i) => {
      expect(x).toBeCloseTo([1, 2, 15, 20][i] as number, 5);
    });
  });

  it('is 1, with a finite gradient, for a critic that is flat', () => {
    const [real, fake] = [image(1, 2, 3, 4), image(0, 1, 0, 1)];
    const penalty = (w: tf.Tensor) =>
      gradientPenalty(
        (x) => tf.matMul(tf.reshape(x, [1, 4]) as tf.Tensor2D, w as tf.Tensor2D),
        real,
        fake,
        half,
      );
    const { value, grad } = tf.valueAndGrad(penalty as never)(tf.zeros([4, 1]));
    expect(value.dataSync()[0]).toBeCloseTo(1, 5);
    expect(Array.from(grad.dataSync())).toEqual([0, 0, 0, 0]);
  });
});

it('clip cuts every parameter to the limit, on both sides', () => {
  const params = { a: tf.tensor([-1, -0.005, 0.25]), b: tf.tensor([[0.01], [2]]) };
  const clipped = Object.values(clip(params, 0.01)).map((t) => Array.from(t.dataSync()));
  const limit = Math.fround(0.01);
  expect(clipped).toEqual([
    [-limit, Math.fround(-0.005), limit],
    [limit, limit],
  ]);
});
