import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { spec, trace } from '../src/index.js';
import { constant, uniform } from './cases/case.js';
import { eager, expectClose, run, TOLERANCE } from './run.js';

type Images = tf.Tensor4D;
const SHAPE = [4, 6, 2] as const;

/** Functions of images [N, 4, 6, 2] whose graphs must do for every N. */
const FUNCTIONS: Readonly<Record<string, (x: Images) => tf.Tensor>> = {
  reshape: (x) => tf.reshape(x, [x.shape[0], 24, 2]),
  'flatten and multiply': (x) =>
    tf.matMul(
      tf.reshape(x, [x.shape[0], -1]) as tf.Tensor2D,
      constant(uniform([48, 3])) as tf.Tensor2D,
    ),
  'rows of all images together': (x) => tf.softmax(tf.reshape(x, [-1, 2])),
  slice: (x) => tf.slice(x, [0, 1, 2, 0], [-1, 2, 3, 1]),
  reverse: (x) => tf.reverse(x, [0, 2]),
  tile: (x) => tf.tile(x, [2, 1, 2, 1]),
  split: (x) => tf.add(...(tf.split(x, 2, 3) as [tf.Tensor, tf.Tensor])),
  pad: (x) =>
    tf.pad(x, [
      [0, 0],
      [1, 2],
      [0, 1],
      [0, 0],
    ]),
  concat: (x) => tf.concat([x, tf.zerosLike(x), tf.ones([x.shape[0], 4, 6, 1])], 3),
  pool: (x) => tf.avgPool(tf.maxPool(x, 3, 1, 'same'), 2, 2, 'valid'),
  'places of a pool': (x) => tf.maxPoolWithArgmax(x, 2, 2, 'valid', true).indexes as tf.Tensor,
  'gradient of a pool': (x) =>
    tf.grad((v) => tf.sum(tf.square(tf.maxPool(v as Images, 2, 2, 'valid'))))(x),
  convolution: (x) => tf.conv2d(x, constant(uniform([3, 3, 2, 3])) as Images, 2, 'same'),
  'depthwise convolution': (x) =>
    tf.depthwiseConv2d(x, constant(uniform([2, 2, 2, 1])) as Images, 1, 'same'),
  'transposed convolution': (x) =>
    tf.conv2dTranspose(
      x,
      constant(uniform([2, 2, 3, 2])) as Images,
      [x.shape[0], 8, 12, 3],
      2,
      'same',
    ),
  'convolutions whose filters are computed': (x) => {
    const filter = (...shape: number[]) => tf.mul(constant(uniform(shape)), tf.max(x)) as Images;
    const y = tf.conv2d(tf.conv2d(x, filter(3, 3, 2, 8), 1, 'same'), filter(4, 4, 8, 3), 2, 'same');
    return tf.conv2dTranspose(y, filter(3, 3, 8, 3), [x.shape[0], 4, 6, 8], 2, 'same');
  },
  resize: (x) => tf.image.resizeBilinear(tf.image.resizeNearestNeighbor(x, [8, 12]), [5, 7]),
  'mean over pixels': (x) => tf.mean(x, [1, 2]),
  gather: (x) => tf.gather(x, tf.tensor1d([2, 0], 'int32'), 1),
  'largest place': (x) => tf.argMax(tf.reshape(x, [x.shape[0], -1]), 1),
  'numbers computed from the size': (x) => tf.div(tf.sum(x, [1, 2, 3]), tf.scalar(x.shape[0])),
  'its shape': (x) => tf.tensor1d(x.shape, 'int32'),
  'its shape as float32, and its last index': (x) => tf.stack([...x.shape, x.shape[0] - 1]),
  'twice its batch and one': (x) => tf.scalar(2 * x.shape[0] + 1, 'int32'),
  'its number of elements': (x) => tf.scalar(x.size, 'int32'),
  'a product of parts of its shape': (x) =>
    tf.prod(tf.slice(tf.tensor1d(x.shape, 'int32'), [0], [2])),
  'rows counted down': (x) => tf.gather(x, tf.range(x.shape[0] - 1, -1, -1, 'int32')),
  'numbers by row': (x) => tf.range(0, 2 * x.shape[0], 2),
  'a list repeated for every image': (x) => tf.tile(tf.tensor1d([1, 2]), [x.shape[0]]),
  'a constant widened to its shape': (x) =>
    tf.broadcastTo(constant(uniform([1, 4, 1, 2])) as Images, x.shape),
  'ones of its shape, alone': (x) => tf.onesLike(x),
  'seven of its shape': (x) => tf.fill(x.shape, 7, 'int32'),
  'depth to space': (x) => tf.depthToSpace(tf.concat([x, x], 3) as Images, 2),
};

describe('a trace with a free batch', () => {
  it.each(Object.entries(FUNCTIONS))(
    'of %s computes what TF.js computes at every batch size',
    async (_, fn) => {
      const model = trace(({ x }) => ({ y: fn(x as Images) }), { x: spec(['N', ...SHAPE]) });
      for (const batch of [1, 3, 7]) {
        const inputs = [uniform([batch, ...SHAPE])];
        const [result] = await run(model, inputs);
        const [expected] = eager(fn as never, inputs);
        expectClose(result as never, expected as never, TOLERANCE.forward);
      }
    },
  );

  it.each<[string, (x: tf.Tensor) => tf.Tensor, string]>([
    ['a share of the batch', (x) => tf.mul(x, 1 / (x.shape[0] as number)), 'Mul'],
    ['a square of the batch', (x) => tf.mul(x, (x.shape[0] as number) ** 2), 'Mul'],
    ['the batch as an even number', (x) => tf.scalar(even(x.shape[0] as number)), 'the output "y"'],
    [
      'a half of the rows',
      (x) => tf.slice(x, [0, 0], [even(x.shape[0] as number) / 2, 2]),
      'Slice',
    ],
    ['steps between two ends', (x) => tf.linspace(0, 1, x.shape[0] as number), 'the output "y"'],
    [
      'a class for each image',
      (x) => tf.oneHot(tf.cast(x, 'int32'), x.shape[0] as number),
      'Equal',
    ],
  ])('is refused for %s, which is no multiple of it, and names the place', (_, fn, place) => {
    const model = () => trace(({ x }) => ({ y: fn(x) }), { x: spec(['N', 2]) });
    expect(model).toThrow('depends on the batch size is baked in at ');
    expect(model).toThrow(place);
  });

  it('is refused for a function that gives other results at another size', () => {
    const outputs = ({ x }: { x: tf.Tensor }) => ((x.shape[0] as number) % 2 ? { a: x } : { b: x });
    expect(() => trace(outputs, { x: spec(['N', 2]) })).toThrow(
      'the output "a" is traced differently at another batch size',
    );
  });

  it.each<[string, (x: tf.Tensor) => tf.Tensor]>([
    ['takes another way', (x) => ((x.shape[0] as number) > 1 ? tf.sqrt(x) : tf.exp(x))],
    ['leaves a step out', (x) => tf.exp((x.shape[0] as number) > 16 ? tf.abs(x) : x)],
    ['does more', (x) => tf.abs(x.shape[0] === 1 ? tf.exp(x) : x)],
    ['goes on after it', (x) => (x.shape[0] === 1 ? tf.exp(tf.abs(x)) : tf.abs(x))],
  ])('is refused for a function that, for a single image, %s', (_, fn) => {
    expect(() => trace(({ x }) => ({ y: fn(x) }), { x: spec(['N', 2]) })).toThrow(
      'the function branches on the size of its batch: of a single image it computes ',
    );
    trace(({ x }) => ({ y: fn(x) }), { x: spec([3, 2]) });
  });
});

const even = (n: number): number => 2 * Math.floor(n / 2);
