/** Constants that TF.js makes at the size of the batch, in graphs whose batch is free. */
import { openSession } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { spec, trace } from '../src/index.js';

const numbers = { x: spec(['N', 3], 'int32') };
const batchOf = ({ x }: { x: tf.Tensor }): number => x.shape[0] as number;
const column = (values: tf.Tensor): tf.Tensor => tf.expandDims(values, 1);

type Fn = (inputs: { x: tf.Tensor }) => tf.Tensor;

const rows: [string, Fn, (x: number, row: number) => number][] = [
  ['the same rows', (i) => tf.add(i.x, tf.ones([batchOf(i), 1], 'int32')), (x) => x + 1],
  [
    'rows of a constant, tiled',
    (i) => tf.add(i.x, tf.tile(tf.tensor([[5, 5, 5]], [1, 3], 'int32'), [batchOf(i), 1])),
    (x) => x + 5,
  ],
  [
    'the number of each row',
    (i) => tf.add(i.x, column(tf.range(0, batchOf(i), 1, 'int32'))),
    (x, row) => x + row,
  ],
  [
    'the place of each row in a list',
    (i) => tf.add(i.x, column(tf.add(tf.mul(tf.range(0, batchOf(i), 1, 'int32'), 3), 7))),
    (x, row) => x + 3 * row + 7,
  ],
  [
    'the square of its number, computed from it',
    (i) => tf.add(i.x, column(tf.square(tf.range(0, batchOf(i), 1, 'int32')))),
    (x, row) => x + row * row,
  ],
];

test.each(rows)('verifyModel at a batch of two: %s', async (_, fn, expected) => {
  const session = await openSession(trace(fn, numbers).toBytes(), { device: 'cpu' });
  for (const batch of [1, 2, 5]) {
    const data = Int32Array.from({ length: 3 * batch }, (_, i) => i * i);
    const { output } = await session.run({ x: { dtype: 'int32', shape: [batch, 3], data } });
    expect(output?.shape).toEqual([batch, 3]);
    expect(Array.from(output?.data ?? [], Number)).toEqual(
      Array.from(data, (x, i) => expected(x, Math.floor(i / 3))),
    );
  }
  await session.dispose();
});

test('other numbers that depend on the batch are refused', () => {
  const shares: Fn = (i) => tf.add(tf.cast(i.x, 'float32'), column(tf.linspace(0, 1, batchOf(i))));
  expect(() => trace(shares, numbers)).toThrow('depends on the batch size is baked in');
});
