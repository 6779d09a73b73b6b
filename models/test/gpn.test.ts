import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { initialize, NETWORKS, type Network, type NetworkOptions } from '../src/index.js';

beforeAll(() => tf.setBackend('cpu'));

const networks = (name: string, options: Partial<NetworkOptions> = {}) =>
  (NETWORKS[name] as NonNullable<(typeof NETWORKS)[string]>)({
    latentSize: 4,
    batchNorm: true,
    spectralNorm: true,
    width: 1 / 8,
    ...options,
  });

/** Numbers that are reproducible and far from regular. */
const noise = (count: number) => Float32Array.from({ length: count }, (_, k) => Math.sin(k * k));

function tensorsOf(network: Network) {
  const made = (specs: Network['params']) =>
    Object.fromEntries(
      Object.entries(initialize(specs, 'kaiming', noise)).map(([name, { shape, data }]) => [
        name,
        tf.tensor(data, [...shape]),
      ]),
    );
  return [made(network.params), made(network.buffers)] as const;
}

describe.each(['gpn-mnist', 'gpn-mnist-large', 'gpn-detail', 'gpn-deep'])(
  'the discriminator of %s',
  (name) => {
    const sizes = [
      ...[4, 5, 6, 7, 8, 9, 11, 14, 17, 22, 28].map((side) => ({ side, channels: 1 })),
      { side: 12, channels: 3 },
    ];

    it.each(sizes)('gives one pair of logits for a fragment of %o', ({ side, channels }) => {
      const image = { height: 28, width: 28, channels };
      const fragment = { internal: side - 2, frame: 1 };
      const { discriminator } = networks(name, { fragment, image });
      expect(discriminator.inputShape).toEqual([side, side, channels]);
      expect(discriminator.outputShape).toEqual([1, 1, 2]);
    });

    it.each(sizes)('gives, in dense form, the logits of each fragment of an image, %o', (size) => {
      const { side, channels } = size;
      const image = { height: side + 3, width: side + 4, channels };
      const fragment = { internal: side - 2, frame: 1 };
      const one = networks(name, { fragment, image }).discriminator;
      const dense = networks(name, { fragment, image, dense: true }).discriminator;
      expect(Object.entries(dense.params)).toEqual(Object.entries(one.params));
      const [params, buffers] = tensorsOf(one);
      const x = tf.tensor4d(noise(image.height * image.width * channels), [
        ...[1, image.height, image.width, channels],
      ] as [number, number, number, number]);
      const map = dense.apply(params, buffers, x, { training: false }).y;
      expect(map.shape).toEqual([1, 4, 5, 2]);
      for (const [row, column] of [
        ...[0, 1, 2, 3].map((n) => [n, n] as const),
        ...[[3, 4] as const, [0, 4] as const],
      ]) {
        const cut = tf.slice(x, [0, row, column, 0], [1, side, side, channels]);
        const alone = one.apply(params, buffers, cut, { training: false }).y.dataSync();
        const there = tf.slice(map, [0, row, column, 0], [1, 1, 1, 2]).dataSync();
        expect(there[0]).toBeCloseTo(alone[0] as number, 4);
        expect(there[1]).toBeCloseTo(alone[1] as number, 4);
      }
    });
  },
);

it.each([1, 2, 4])(
  'a dense form keeps strides up to %i, and its scores are those of stride 1',
  (stride) => {
    const image = { height: 30, width: 34, channels: 3 };
    const shape = { internal: 8, frame: 7 };
    const make = (more: object) =>
      networks('gpn', { fragment: { ...shape, ...more }, image, dense: true }).discriminator;
    const [full, coarse] = [make({}), make({ stride })];
    expect(Object.entries(coarse.params)).toEqual(Object.entries(full.params));
    const [params, buffers] = tensorsOf(full);
    const x = tf.tensor4d(noise(30 * 34 * 3), [1, 30, 34, 3]);
    const [all, some] = [full, coarse].map((network) =>
      network.apply(params, buffers, x, { training: false }).y.arraySync(),
    ) as [number[][][][], number[][][][]];
    const expected = all[0]
      ?.filter((_, k) => k % stride === 0)
      .map((row) => row.filter((_, k) => k % stride === 0));
    expect(some[0]?.length).toBe(expected?.length);
    const flat = some.flat(3);
    for (const [k, value] of (expected as number[][][]).flat(2).entries()) {
      expect(flat[k]).toBeCloseTo(value, 4);
    }
  },
);

it.each([
  ['gpn-mnist', 2, 'fragment must be 1'],
  ['gpn', 3, 'fragment must be 1 or 2 or 4'],
  ['gpn', 8, 'fragment must be 1 or 2 or 4'],
])('%s has no dense form of stride %i', (name, stride, sentence) => {
  const fragment = { internal: 8, frame: 7, stride };
  expect(() => networks(name, { fragment })).toThrow(sentence);
});

describe('the generator of gpn-mnist', () => {
  it('draws images of any size whose sides are multiples of 4, with any number of channels', () => {
    const image = { height: 32, width: 64, channels: 3 };
    expect(networks('gpn-mnist', { image }).generator.outputShape).toEqual([32, 64, 3]);
    expect(networks('gpn-mnist').generator.outputShape).toEqual([28, 28, 1]);
  });
});

it('the generator of gpn-mnist-large stays within the range of the data', () => {
  const { generator } = networks('gpn-mnist-large');
  const [params, buffers] = tensorsOf(generator);
  const z = tf.tensor2d(noise(32), [8, 4]);
  const y = generator.apply(params, buffers, tf.mul(z, 100), { training: false }).y.dataSync();
  expect(Math.min(...y)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...y)).toBeLessThanOrEqual(1);
});
