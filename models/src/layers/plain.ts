/** Layers without tensors of their own: activations, shapes, pools, dropout, side inputs. */
import * as tf from '@tensorflow/tfjs-core';
import { type Layer, type LayerMaker, type LayerPass, product } from '../network.js';
import { rectify } from '../rectify.js';

type Image = tf.Tensor4D;
type Shape = readonly number[];

/** A layer without tensors of its own. */
export const pure = (
  kind: string,
  f: (x: tf.Tensor, pass: LayerPass) => tf.Tensor,
  shape: (s: Shape) => Shape = (s) => s,
  more: (s: Shape) => Pick<Layer, 'conditions' | 'noise'> = () => ({}),
): LayerMaker => ({
  kind,
  build: (inputShape) => ({
    outputShape: shape(inputShape),
    params: {},
    buffers: {},
    ...more(inputShape),
    apply: (_, __, x, pass) => ({ y: f(x, pass), buffers: {} }),
  }),
});

/** max(x, 0). */
export const relu = (): LayerMaker => pure('relu', (x) => rectify(x, 0));
/** max(x, slope · x), slope in [0, 1]. */
export const leakyRelu = (slope: number): LayerMaker => pure('leakyRelu', (x) => rectify(x, slope));
/** 1 / (1 + exp(−x)). */
export const sigmoid = (): LayerMaker => pure('sigmoid', (x) => tf.sigmoid(x));
/** The hyperbolic tangent. */
export const tanh = (): LayerMaker => pure('tanh', (x) => tf.tanh(x));

/**
 * exp(x) / Σ exp(x) along the last axis: a function for layers of one's own. Unlike TF.js's, its second
 * derivative is right, which gradient penalties need.
 */
export const softmax = (x: tf.Tensor): tf.Tensor =>
  tf.customGrad((logits, save) => {
    (save as tf.GradSaveFunc)([logits as tf.Tensor]);
    // From the input: TF.js takes a saved output for a constant when it differentiates again.
    const gradFunc = (dy: tf.Tensor, [saved]: tf.Tensor[]) => {
      const y = softmax(saved as tf.Tensor);
      return tf.mul(y, tf.sub(dy, tf.sum(tf.mul(dy, y), -1, true)));
    };
    return { value: tf.softmax(logits as tf.Tensor), gradFunc };
  })(x);

/** A vector [n] as an image of one pixel, [1, 1, n]. */
export const pixel = (): LayerMaker => reshape(([n = 0]) => [1, 1, n], 'pixel');

/** An image as a vector. */
export const flatten = (): LayerMaker => reshape((shape) => [product(shape)], 'flatten');

/** The same values in another shape; the batch stays as it is. */
export const reshape = (shape: (from: Shape) => Shape, kind = 'reshape'): LayerMaker => ({
  kind,
  build: (from) =>
    pure(
      kind,
      (x) => tf.reshape(x, [x.shape[0] as number, ...shape(from)]),
      () => shape(from),
    ).build(from),
});

/** Pooling over squares of k×k pixels; a remainder at the right and bottom is left out. */
const pool = (kind: string, f: (x: Image, k: number) => tf.Tensor) => (k: number) =>
  pure(
    kind,
    (x) => f(x as Image, k),
    ([h = 0, w = 0, c = 0]) => [Math.floor(h / k), Math.floor(w / k), c],
  );

/**
 * An image and its detail, one behind the other: of each channel, the sum of the differences of a pixel from
 * the eight around it. Pixels at the edge have no such eight and are left out: [h, w, c] becomes
 * [h − 2, w − 2, 2c]. Residuals are what traces of tampering show in (Fridrich and Kodovský 2012).
 */
export const detail = (): LayerMaker =>
  pure(
    'detail',
    (x) => {
      const channels = x.shape.at(-1) as number;
      /** [3, 3, channels, 2 · channels] */
      const kernel = Array.from({ length: 9 * channels * 2 * channels }, (_, k) => {
        const [place, from, to] = [
          Math.floor(k / channels / channels / 2),
          Math.floor(k / channels / 2) % channels,
          k % (2 * channels),
        ];
        if (from !== to % channels) return 0;
        if (to < channels) return place === 4 ? 1 : 0;
        return place === 4 ? 8 : -1;
      });
      const weights = tf.tensor4d(kernel, [3, 3, channels, 2 * channels]);
      return tf.conv2d(x as Image, weights, 1, 'valid');
    },
    ([h = 0, w = 0, c = 0]) => [h - 2, w - 2, 2 * c],
  );

/** The average of each square of k×k pixels. */
export const averagePool = pool('averagePool', (x, k) => tf.avgPool(x, k, k, 'valid'));
/** The maximum of each square of k×k pixels. */
export const maxPool = pool('maxPool', (x, k) => tf.maxPool(x, k, k, 'valid'));

/**
 * In training, sets each value to 0 with the probability `rate` and scales the others up to keep the
 * mean (Srivastava et al. 2014). Otherwise it does nothing.
 */
export const dropout = (rate: number): LayerMaker =>
  pure(
    'dropout',
    (x, { training, noise }) => {
      if (!training) return x;
      const kept = tf.cast(tf.greaterEqual(noise as tf.Tensor, rate), 'float32');
      return tf.mul(x, tf.mul(kept, 1 / (1 - rate)));
    },
    (s) => s,
    (s) => ({ noise: s }),
  );

/**
 * Appends a side input of this size to a vector, or to an image as constant channels.
 */
export const join = (name: string, size: number): LayerMaker =>
  pure(
    'join',
    (x, { conditions }) => {
      const given = conditions?.[name];
      if (!given) throw new Error(`the network needs ${name}`);
      if (x.rank === 2) return tf.concat([x, given], 1);
      const [n, h, w] = x.shape as [number, number, number];
      const planes = tf.add(tf.zeros([1, h, w, size]), tf.reshape(given, [n, 1, 1, size]));
      return tf.concat([x, planes], 3);
    },
    (shape) => [...shape.slice(0, -1), (shape.at(-1) as number) + size],
    () => ({ conditions: { [name]: size } }),
  );

/** Appends all of these side inputs, one after the other. */
export const joined = (conditions: Readonly<Record<string, number>> = {}): LayerMaker[] =>
  Object.entries(conditions).map(([name, size]) => join(name, size));
