/** Layers with trained tensors that are no kernels: biases, learned images, vectors of classes. */
import * as tf from '@tensorflow/tfjs-core';
import type { Layer, LayerMaker, Tensors } from '../network.js';
import { columnSums } from '../rows.js';
import { scaled } from './weighted.js';

/** x plus a number for each channel. The gradient for the numbers is a product: see `columnSums`. */
const addToChannels = (x: tf.Tensor, numbers: tf.Tensor): tf.Tensor =>
  tf.customGrad((image, added) => {
    const [raw, bias] = [image, added] as [tf.Tensor, tf.Tensor];
    const rows = (t: tf.Tensor) => tf.reshape(t, [raw.size / bias.size, bias.size]);
    return {
      value: tf.reshape(tf.add(rows(raw), bias), raw.shape),
      gradFunc: (dy: tf.Tensor) => [dy, columnSums(rows(dy))],
    };
  })(x, numbers);

/** A learned number for each channel, added; at first 0. */
export const bias = (): LayerMaker => ({
  kind: 'bias',
  build: (shape) => ({
    outputShape: shape,
    params: { bias: { shape: [shape.at(-1) as number], start: { kind: 'zeros' } } },
    buffers: {},
    apply: (params, _, x) => ({ y: addToChannels(x, params.bias as tf.Tensor), buffers: {} }),
  }),
});

/**
 * A layer of one's own.
 * @param kind its name in errors and in the state, before its number
 * @param build what it is for an input of this shape, without the batch: the shape of its output, and
 *   its trained tensors with their shapes and how they start
 * @param apply computes its output [N, …] from its tensors, its input [N, …] and the side inputs of the
 *   network
 */
export const layer = (
  kind: string,
  build: (inputShape: readonly number[]) => Omit<Layer, 'buffers' | 'apply'>,
  apply: (params: Tensors, x: tf.Tensor, conditions: Tensors) => tf.Tensor,
): LayerMaker => ({
  kind,
  build: (inputShape) => ({
    ...build(inputShape),
    buffers: {},
    apply: (params, _, x, { conditions = {} }) => ({
      y: apply(params, x, conditions),
      buffers: {},
    }),
  }),
});

/**
 * A vector as an image [side, side, out]: a learned image, each of its channels times a number that is
 * linear in the vector.
 */
export const basis = (side: number, out: number): LayerMaker =>
  layer(
    'basis',
    ([n = 0]) => ({
      outputShape: [side, side, out],
      params: {
        kernel: { shape: [n, out], start: scaled(1, n) },
        image: { shape: [side, side, out], start: { kind: 'normal', std: 1 } },
      },
      flops: [2 * n * out],
    }),
    ({ kernel, image }, x) => {
      const numbers = tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D);
      return tf.mul(
        image as tf.Tensor,
        tf.reshape(numbers, [-1, 1, 1, numbers.shape[1] as number]),
      );
    },
  );

/** Each channel of an image weighted by a learned image and summed: a vector with a number for each. */
export const weightedSum = (): LayerMaker =>
  layer(
    'sum',
    ([h = 0, w = 0, channels = 0]) => ({
      outputShape: [channels],
      params: { kernel: { shape: [h, w, channels], start: scaled(1, h * w) } },
      flops: [2 * h * w * channels],
    }),
    ({ kernel }, x) => tf.sum(tf.mul(x, kernel as tf.Tensor), [1, 2]),
  );

/** The learned vector of a class, whose label is the one-hot side input `name`. */
const embedding = (name: string, { kernel }: Tensors, conditions: Tensors): tf.Tensor => {
  const given = conditions[name];
  if (!given) throw new Error(`the network needs ${name}`);
  return tf.matMul(given as tf.Tensor2D, kernel as tf.Tensor2D);
};

/** Appends to a vector a learned vector of `size` numbers for the class that the side input names. */
export const embed = (name: string, classes: number, size: number): LayerMaker =>
  layer(
    'embed',
    ([n = 0]) => ({
      outputShape: [n + size],
      params: { kernel: { shape: [classes, size], start: { kind: 'normal', std: 1 } } },
      conditions: { [name]: classes },
    }),
    (params, x, conditions) => tf.concat([x, embedding(name, params, conditions)], 1),
  );

/**
 * How well a vector fits a class: its product with a learned vector of the class that the side input
 * names (Miyato & Koyama 2018).
 */
export const project = (name: string, classes: number): LayerMaker =>
  layer(
    'project',
    ([n = 0]) => ({
      outputShape: [1],
      params: { kernel: { shape: [classes, n], start: scaled(1, n) } },
      conditions: { [name]: classes },
      flops: [2 * n],
    }),
    (params, x, conditions) => tf.sum(tf.mul(x, embedding(name, params, conditions)), 1, true),
  );
