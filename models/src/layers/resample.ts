import * as tf from '@tensorflow/tfjs-core';
import type { LayerMaker } from '../network.js';
import { pure } from './plain.js';

type Rows = readonly (readonly number[])[];

/**
 * Halving along one axis of n pixels, as a matrix [n / 2, n]: the low-pass filter [1, 2, 1] / 4 at every
 * second pixel. Beyond the edge the image is zero.
 */
const halving = (n: number): Rows =>
  Array.from({ length: n / 2 }, (_, i) =>
    Array.from({ length: n }, (_, j) => [0.5, 0.25][Math.abs(2 * i - j)] ?? 0),
  );

const transposed = (rows: Rows): Rows =>
  (rows[0] ?? []).map((_, j) => rows.map((row) => row[j] as number));

/** Doubling along one axis: the zeros between the pixels are filled by the same filter, at gain 2. */
const doubling = (n: number): Rows =>
  transposed(halving(2 * n)).map((row) => row.map((x) => 2 * x));

/**
 * Multiplies the columns of a square image, and then its rows, by a matrix [to, from]. Two small products
 * of matrices are faster than a depthwise convolution, and a transposed matrix is the gradient.
 */
const alongBoth = (x: tf.Tensor, rows: Rows): tf.Tensor =>
  tf.customGrad((image) => {
    const [n = 0, h = 0, w = 0, c = 0] = (image as tf.Tensor).shape;
    const matrix = tf.tensor([rows.map((row) => [...row])], [1, rows.length, h]);
    const columns = tf.matMul(matrix, tf.reshape(image as tf.Tensor, [n, h, w * c]));
    const value = tf.matMul(matrix, tf.reshape(columns, [n * rows.length, w, c]));
    return {
      value: tf.reshape(value, [n, rows.length, rows.length, c]),
      gradFunc: (dy: tf.Tensor) => alongBoth(dy, transposed(rows)),
    };
  })(x);

/**
 * Halves the sides of a square image by the low-pass filter [1, 2, 1] in both directions, which keeps
 * patterns from folding onto coarser ones. The sides must be even.
 */
export const halve = (): LayerMaker =>
  pure(
    'halve',
    (x) => alongBoth(x, halving(x.shape[1] as number)),
    ([h = 0, w = 0, c = 0]) => [h / 2, w / 2, c],
  );

/** Doubles the sides of a square image by the low-pass filter [1, 2, 1] in both directions. */
export const double = (): LayerMaker =>
  pure(
    'double',
    (x) => alongBoth(x, doubling(x.shape[1] as number)),
    ([h = 0, w = 0, c = 0]) => [h * 2, w * 2, c],
  );
