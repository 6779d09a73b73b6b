import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { inspectModel, spec, trace } from '../src/index.js';
import { constant, uniform } from './cases/case.js';
import { eager, expectClose, run, TOLERANCE } from './run.js';

type Images = tf.Tensor4D;
const weights = (...shape: number[]) => constant(uniform(shape)) as Images;

/** Unpadded convolutions of stride 1 that judge every 5×5 fragment of an image. */
const judge = (channels: number) => (x: Images) => {
  const first = tf.relu(tf.add(tf.conv2d(x, weights(2, 2, channels, 6), 1, 'valid'), weights(6)));
  const second = tf.leakyRelu(tf.conv2d(first as Images, weights(4, 4, 6, 4), 1, 'valid'), 0.2);
  const logits = tf.conv2d(second as Images, weights(1, 1, 4, 2), 1, 'valid');
  const [fake, real] = tf.split(logits, 2, 3) as [tf.Tensor, tf.Tensor];
  return tf.sub(real, fake);
};

/** Functions of images [N, H, W, C], the number of channels of their input, and what they give. */
const FUNCTIONS: Readonly<Record<string, [channels: number, fn: (x: Images) => tf.Tensor]>> = {
  'a judge of fragments, gray': [1, judge(1)],
  'a judge of fragments, in colour': [3, judge(3)],
  'mean over pixels': [2, (x) => tf.mean(x, [1, 2])],
  'without its edges': [2, (x) => tf.slice(x, [0, 1, 2, 0], [-1, -1, -1, 1])],
  'at a stride of 2': [1, (x) => tf.conv2d(x, weights(3, 3, 1, 2), 2, 'valid')],
  'at strides of 2 and 2, and a mean': [
    1,
    (x) => {
      const half = tf.relu(tf.conv2d(x, weights(2, 2, 1, 3), 2, 'valid')) as Images;
      return tf.mean(tf.conv2d(half, weights(2, 2, 3, 2), 2, 'valid'), 3);
    },
  ],
  mirrored: [2, (x) => tf.reverse(x, [1, 2])],
  enlarged: [1, (x) => tf.tile(x, [1, 2, 3, 1])],
  padded: [
    1,
    (x) =>
      tf.pad(x, [
        [0, 0],
        [1, 2],
        [0, 1],
        [0, 0],
      ]),
  ],
  'beside ones': [2, (x) => tf.concat([x, tf.zerosLike(x)], 3)],
  'divided by its height': [2, (x) => tf.div(x, x.shape[1])],
  'its shape': [2, (x) => tf.tensor1d(x.shape, 'int32')],
  'all pixels as rows': [2, (x) => tf.softmax(tf.transpose(x, [0, 2, 1, 3]))],
};

describe('a trace with free height and width beside a free batch', () => {
  it.each(Object.entries(FUNCTIONS))(
    'of %s computes what TF.js computes at every size',
    async (_, [channels, fn]) => {
      const model = trace(({ x }) => ({ y: fn(x as Images) }), {
        x: spec(['N', 'H', 'W', channels]),
      });
      for (const shape of [
        [1, 5, 5],
        [3, 6, 11],
        [2, 16, 9],
      ]) {
        const inputs = [uniform([...shape, channels])];
        const [result] = await run(model, inputs);
        const [expected] = eager(fn as never, inputs);
        expectClose(result as never, expected as never, TOLERANCE.forward);
      }
    },
  );

  it('declares its free sizes by name and holds no size in their place', () => {
    const model = trace(({ x }) => ({ scores: judge(1)(x as Images) }), {
      x: spec(['N', 'H', 'W', 1]),
    });
    const { inputs, outputs, operators } = inspectModel(model.toBytes());
    expect(inputs[0]?.shape).toEqual(['N', 'H', 'W', 1]);
    expect(outputs[0]?.shape).toEqual(['N', 'H-4', 'W-4', 1]);
    expect(Object.keys(operators)).not.toContain('Shape');
    expect(Object.keys(operators)).not.toContain('Transpose');
  });

  it.each<[string, (x: Images) => tf.Tensor, RegExp]>([
    [
      'a number computed from a size that a stride has halved',
      (x) => {
        const half = tf.conv2d(x, weights(2, 2, 1, 2), 2, 'valid');
        return tf.mul(half, half.shape[1]);
      },
      /N or H or W size is baked in at/,
    ],
    [
      'pixels flattened to columns',
      (x) => tf.reshape(x, [x.shape[0], -1]),
      /N or H or W size is baked in at Reshape/,
    ],
    [
      'a number computed from a size otherwise than as a multiple',
      (x) => tf.mul(x, x.shape[1] ** 2),
      /N or H or W size is baked in at Mul/,
    ],
  ])('refuses %s', (_, fn, message) => {
    expect(() =>
      trace(({ x }) => ({ y: fn(x as Images) }), { x: spec(['N', 'H', 'W', 1]) }),
    ).toThrow(message);
  });

  it('has at most four free sizes', () => {
    const shape = ['A', 'B', 'C', 'D', 'E'];
    expect(() => trace(({ x }) => tf.relu(x as tf.Tensor), { x: spec(shape) })).toThrow(
      /can have 4 free dimensions/,
    );
  });
});
