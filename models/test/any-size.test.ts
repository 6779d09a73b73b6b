import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // TF.js's gradients
import { beforeAll, describe, expect, it } from 'vitest';
import { countParameters, NETWORKS, type NetworkOptions, type Pair } from '../src/index.js';
import { initialize } from '../src/initialize.js';
import { double, halve } from '../src/layers/index.js';
import type { Network } from '../src/network.js';

beforeAll(() => tf.setBackend('cpu'));

const made = (name: string, side: number, options: Partial<NetworkOptions> = {}): Pair =>
  (NETWORKS[name] as (o: NetworkOptions) => Pair)({
    latentSize: 8,
    batchNorm: false,
    spectralNorm: false,
    image: { height: side, width: side, channels: 3 },
    ...options,
  });

const SIDES = [16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256];

/** Deterministic numbers of mean 0 and variance 1. */
const normal = () => {
  let k = 0;
  return (count: number) =>
    Float32Array.from({ length: count }, () => {
      const u = (++k * 0.6180339887498949) % 1;
      return (u - 0.5) * Math.sqrt(12);
    });
};

const started = (network: Network) =>
  Object.fromEntries(
    Object.entries(initialize(network.params, 'normal', normal())).map(([name, w]) => [
      name,
      tf.tensor(w.data, [...w.shape]),
    ]),
  );

describe.each(['dcgan', 'resnet'])('the networks %s', (name) => {
  it.each(SIDES)('draw and judge images of side %i', (side) => {
    for (const channels of [1, 3, 4]) {
      const { generator, discriminator } = made(name, side, {
        image: { height: side, width: side, channels },
      });
      expect(generator.outputShape).toEqual([side, side, channels]);
      expect(discriminator.inputShape).toEqual([side, side, channels]);
      expect(discriminator.outputShape).toEqual([1]);
    }
  });

  it.each([
    [30, 30, 'height must be 28 or 32 ('],
    [8, 8, 'height must be 16 ('],
    [300, 300, 'height must be 256 ('],
    [32, 28, 'width must be 32, as the height is ('],
  ])('refuse %i × %i with the nearest sizes', (height, width, sentence) => {
    expect(() => made(name, 0, { image: { height, width, channels: 3 } })).toThrow(sentence);
  });

  it('give labels to both networks', () => {
    const { generator, discriminator } = made(name, 16, { conditions: { labels: 5 } });
    expect(generator.conditions).toEqual({ labels: 5 });
    expect(discriminator.conditions).toEqual({ labels: 5 });
    expect(discriminator.outputShape).toEqual([1]);
  });

  it('have as many channels as the recipe says', () => {
    const [narrow, wide] = [2, 4].map((baseChannels) => made(name, 16, { baseChannels }));
    expect(countParameters((wide as Pair).generator)).toBeGreaterThan(
      2 * countParameters((narrow as Pair).generator),
    );
  });

  it('have whole numbers of channels, also of odd ones', () => {
    const { generator, discriminator } = made(name, 16, { baseChannels: 5 });
    const sizes = [generator, discriminator].flatMap(({ params }) =>
      Object.values(params).flatMap(({ shape }) => shape),
    );
    expect(sizes.every(Number.isInteger)).toBe(true);
  });

  it('end in tanh or sigmoid, as the range of the pixels asks', () => {
    for (const [range, lowest] of [
      [[-1, 1], -1],
      [[0, 1], 0],
    ] as const) {
      const { generator } = made(name, 16, { range, baseChannels: 2 });
      const params = Object.fromEntries(
        Object.entries(started(generator)).map(([key, t]) => [key, tf.mul(t, 50)]),
      );
      const buffers = Object.fromEntries(
        Object.entries(initialize(generator.buffers, 'normal', normal())).map(([key, w]) => [
          key,
          tf.tensor(w.data, [...w.shape]),
        ]),
      );
      const x = tf.tensor(normal()(32), [4, 8]);
      const { y } = generator.apply(params, buffers, x, { training: false });
      expect(tf.min(y).dataSync()[0]).toBeCloseTo(lowest, 1);
      expect(tf.max(y).dataSync()[0]).toBeCloseTo(1, 1);
    }
  });
});

describe('dcgan', () => {
  it('has the hidden layers of dcgan-64 at its size', () => {
    const [ours, theirs] = [
      made('dcgan', 64, { latentSize: 100 }),
      made('dcgan-64', 64, { latentSize: 100 }),
    ];
    expect(countParameters(ours.generator)).toBe(countParameters(theirs.generator));
    expect(countParameters(ours.discriminator)).toBe(countParameters(theirs.discriminator));
  });
});

describe('resnet', () => {
  it('starts as its path past the blocks, whose last weights are zeros', () => {
    const { discriminator } = made('resnet', 16, { baseChannels: 4 });
    const params = started(discriminator);
    const x = tf.tensor(normal()(2 * 16 * 16 * 3), [2, 16, 16, 3]);
    const scores = discriminator.apply(params, {}, x, { training: true }).y;
    const inBlocks = Object.entries(params).map(([key, t]): [string, tf.Tensor] =>
      /residual\d\/conv[12]\//.test(key) ? [key, tf.mul(t, 7)] : [key, t],
    );
    const other = discriminator.apply(Object.fromEntries(inBlocks), {}, x, { training: true }).y;
    expect([...other.dataSync()]).toEqual([...scores.dataSync()]);
    expect(scores.dataSync()[0]).not.toBe(scores.dataSync()[1]);
  });

  it.each(['batchNorm', 'spectralNorm'])('refuses %s', (option) => {
    expect(() => made('resnet', 16, { [option]: true })).toThrow(`${option} must be false`);
  });
});

describe('resampling', () => {
  // Beside the pixel of 4 are half of it, once along each axis: [1, 2, 1] / 2 both ways.
  const pixel = tf.tensor([0, 0, 0, 0, 4, 0, 0, 0, 0], [1, 3, 3, 1]);
  const apply = (layer: ReturnType<typeof halve>, x: tf.Tensor) =>
    layer.build(x.shape.slice(1)).apply({}, {}, x, { training: true }).y;

  it('doubles by [1, 2, 1] in both directions, at gain 4', () => {
    const rows = tf.squeeze(apply(double(), pixel)).arraySync();
    expect(rows).toEqual([
      [0, 0, 0, 0, 0, 0],
      [0, 1, 2, 1, 0, 0],
      [0, 2, 4, 2, 0, 0],
      [0, 1, 2, 1, 0, 0],
      [0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0],
    ]);
  });

  it('halves by [1, 2, 1] in both directions, and keeps a mean away from the edge', () => {
    const flat = tf.squeeze(apply(halve(), tf.ones([1, 8, 8, 1]))).arraySync() as number[][];
    expect(flat[2]).toEqual([0.75, 1, 1, 1]);
    const there = tf.tensor(
      Array.from({ length: 16 }, (_, i) => Number(i === 5)),
      [1, 4, 4, 1],
    );
    expect(tf.squeeze(apply(halve(), there)).arraySync()).toEqual([
      [0.0625, 0.0625],
      [0.0625, 0.0625],
    ]);
  });

  it.each([
    ['halve', halve(), [1, 6, 6, 2], [1, 3, 3, 2]],
    ['double', double(), [1, 3, 3, 2], [1, 6, 6, 2]],
  ])('%s has its transpose as its gradient, ⟨f(x), y⟩ = ⟨x, f′(y)⟩', (_, layer, from, to) => {
    const [x, y] = [from, to].map((shape) =>
      tf.tensor(normal()(shape.reduce((a, b) => a * b, 1)), shape),
    ) as [tf.Tensor, tf.Tensor];
    const forward = tf.sum(tf.mul(apply(layer, x), y)).dataSync()[0] as number;
    const slope = tf.grad((v: tf.Tensor) => tf.sum(tf.mul(apply(layer, v), y)))(x);
    expect(tf.sum(tf.mul(x, slope)).dataSync()[0]).toBeCloseTo(forward, 4);
  });
});
