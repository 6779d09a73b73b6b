import * as tf from '@tensorflow/tfjs-core';
import { type Cases, flags, floats, of, uniform, whole } from './case.js';

const x = uniform([3, 4, 5]);
const withNaN = floats([1, Number.NaN, 3, 4, 5, 6, -7, 8, Infinity], [3, 3]);

export const REDUCTIONS: Cases = {
  All: of((v: tf.Tensor) => tf.all(v, 1), flags([4, 2])),
  Any: of((v: tf.Tensor) => tf.any(v, 1), flags([4, 2])),
  ArgMax: of((v: tf.Tensor) => tf.argMax(v, 1), x),
  'ArgMax with NaN': of((v: tf.Tensor) => tf.argMax(v, 1), withNaN),
  ArgMin: of((v: tf.Tensor) => tf.argMin(v, -1), x),
  Max: of((v: tf.Tensor) => tf.max(v, [0, 2]), x),
  'Max with NaN': of((v: tf.Tensor) => tf.max(v, 1), withNaN),
  'Max of integers': of((v: tf.Tensor) => tf.max(v, 0, true), whole([3, 4])),
  Mean: of((v: tf.Tensor) => tf.mean(v, -1), x),
  Min: of((v: tf.Tensor) => tf.min(v, 1, true), x),
  'Min with NaN': of((v: tf.Tensor) => tf.min(v, 1), withNaN),
  Prod: of((v: tf.Tensor) => tf.prod(v, 1), x),
  Sum: of((v: tf.Tensor) => tf.sum(v, [0, 1]), x),
  'Sum of flags': of((v: tf.Tensor) => tf.sum(v), flags([7])),
  'Sum of a transposed tensor': of((v: tf.Tensor) => tf.sum(tf.transpose(v, [2, 0, 1]), 0), x),
};
