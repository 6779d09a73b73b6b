/** Sigmoids of converted networks: the oracle is 1 / (1 + exp(−x)) in double precision. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { inspectModel, type OnnxModel, spec, trace } from '../src/index.js';
import { run } from './run.js';

const at = (fn: (x: tf.Tensor4D) => tf.Tensor, exactSigmoids = true): OnnxModel =>
  trace(({ x }) => ({ y: fn(x as tf.Tensor4D) }), { x: spec([1, 4, 4, 1]) }, { exactSigmoids });

const written = (model: OnnxModel): number => inspectModel(model.toBytes()).operators.Sigmoid ?? 0;

const data = Float32Array.from({ length: 16 }, (_, i) => 5 - 2 * i);
const values = { data, shape: [1, 4, 4, 1], dtype: 'float32' } as const;

/** The largest error of a sigmoid, relative to the right value. */
async function error(model: OnnxModel): Promise<number> {
  const [y] = await run(model, [values]);
  const errors = Array.from(data, (x, i) => {
    const right = 1 / (1 + Math.exp(-x));
    return Math.abs((y?.data[i] as number) - right) / right;
  });
  return Math.max(...errors);
}

it('small probabilities that are outputs are right to float32, which those of ONNX Runtime are not', async () => {
  const fn = (x: tf.Tensor4D) => tf.transpose(tf.sigmoid(x), [0, 3, 1, 2]);
  expect(await error(at(fn))).toBeLessThan(1e-6);
  expect(await error(at(fn, false))).toBeGreaterThan(1e-2);
});

it.each<[string, (x: tf.Tensor4D) => tf.Tensor, number]>([
  ['an output', (x) => tf.sigmoid(x), 0],
  ['a product of outputs', (x) => tf.mul(tf.sigmoid(x), 3), 0],
  ['compared with its neighbours', peaks, 0],
  ['ranked', (x) => tf.topk(tf.reshape(tf.sigmoid(x), [16]), 3).indices, 0],
  ['between layers', (x) => tf.sum(tf.sigmoid(x), [1, 2]), 1],
])('a sigmoid that is %s is written so where it matters', (_, fn, count) => {
  expect(written(at(fn))).toBe(count);
  expect(written(at(fn, false))).toBe(1);
});

/** Where a heat map is as large as anything around. */
function peaks(x: tf.Tensor4D): tf.Tensor {
  const heat = tf.sigmoid(x);
  return tf.cast(tf.equal(heat, tf.maxPool(heat, 3, 1, 'same')), 'float32');
}

it('different numbers below −17 stay different, so that a peak is one place', async () => {
  const falling = { ...values, data: Float32Array.from({ length: 16 }, (_, i) => -18 - i / 8) };
  const [y] = await run(at(peaks), [falling]);
  expect(Array.from(y?.data as Float32Array)).toEqual([1, ...new Array(15).fill(0)]);
});
