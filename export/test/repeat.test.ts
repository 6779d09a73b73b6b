import { openSession, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { spec, TIMES, trace } from '../src/index.js';

const floats = (data: number[], shape = [data.length]): TensorData => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(data),
});
const times = (n: number): TensorData => ({
  dtype: 'int64',
  shape: [],
  data: BigInt64Array.of(BigInt(n)),
});

/** total ← rate · total + pixels; `fixed` is carried on as it is, the step counts itself. */
const model = trace(
  ({ total, fixed, count, pixels, rate }) => ({
    next: {
      total: tf.add(tf.mul(total, rate), pixels),
      fixed,
      count: tf.add(count, 1),
    },
    sum: tf.sum(total),
    shown: tf.mul(pixels, 2),
  }),
  {
    total: spec([2]),
    fixed: spec([1]),
    count: spec([]),
    pixels: spec([2], 'uint8'),
    rate: spec([]),
  },
);
const carried = new Map([
  ['total', 'next/total'],
  ['fixed', 'next/fixed'],
  ['count', 'next/count'],
]);

describe('a graph that runs several times in a call', () => {
  const start = { total: floats([1, 2]), fixed: floats([7]), count: floats([0], []) };

  it('hands on what is carried, takes the rest in turn, and gives a result of each run', async () => {
    const session = await openSession(model.toRepeatedBytes(carried), { device: 'cpu' });
    const pixels = {
      dtype: 'uint8',
      shape: [3, 2],
      data: Uint8Array.of(1, 2, 3, 4, 5, 255),
    } as const;
    const outputs = await session.run({
      ...start,
      pixels,
      rate: floats([10, 1, 0.5]),
      [TIMES]: times(3),
    });
    await session.dispose();
    // [1, 2] → 10 · [1, 2] + [1, 2] → [11, 22] + [3, 4] → 0.5 · [14, 26] + [5, 255]
    const found = Object.fromEntries(
      Object.entries(outputs).map(([name, t]) => [
        name,
        [t.shape, Array.from(t.data as Float32Array)],
      ]),
    );
    expect(found).toEqual({
      'next/total': [[2], [12, 268]],
      'next/fixed': [[1], [7]],
      'next/count': [[], [3]],
      sum: [[3], [3, 33, 40]],
      shown: [
        [3, 2],
        [2, 4, 6, 8, 10, 510],
      ],
    });
  });

  it('runs the given number of times, whatever it is', async () => {
    const session = await openSession(model.toRepeatedBytes(carried), { device: 'cpu' });
    for (const n of [1, 5]) {
      const { 'next/count': count, sum } = await session.run({
        ...start,
        pixels: { dtype: 'uint8', shape: [n, 2], data: new Uint8Array(2 * n) },
        rate: floats(new Array(n).fill(1)),
        [TIMES]: times(n),
      });
      expect(count?.data[0]).toBe(n);
      expect(Array.from(sum?.data as Float32Array)).toEqual(new Array(n).fill(3));
    }
    await session.dispose();
  });

  it('is refused if an output to carry on is missing', () => {
    expect(() => model.toRepeatedBytes(new Map([['total', 'next/totals']]))).toThrow('next/totals');
  });
});
