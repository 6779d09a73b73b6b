import * as tf from '@tensorflow/tfjs-core';
import { type Cases, gradients, kernel, of, uniform } from './case.js';

const images = uniform([2, 3, 4, 5]);
type Images = tf.Tensor4D;

export const NORMS: Cases = {
  FusedBatchNorm: of(
    (
      x: Images,
      mean: tf.Tensor1D,
      variance: tf.Tensor1D,
      offset: tf.Tensor1D,
      scale: tf.Tensor1D,
    ) => tf.batchNorm(x, mean, variance, offset, scale, 1e-3),
    images,
    uniform([5]),
    uniform([5], 0.5, 2),
    uniform([5]),
    uniform([5]),
  ),
  LRN: of((x: Images) => tf.localResponseNormalization(x, 2, 1.5, 0.7, 0.6), images),
  LRNGrad: of(
    gradients((x) => tf.localResponseNormalization(x as Images, 1, 1, 0.5, 0.75)),
    images,
  ),
  LogSoftmax: {
    fn: (x: tf.Tensor) => kernel('LogSoftmax', { logits: x }, { axis: -1 }),
    inputs: [uniform([3, 4])],
    oracle: (x: tf.Tensor) => tf.logSoftmax(x),
  },
  Softmax: of((x: tf.Tensor) => tf.softmax(x), uniform([3, 4])),
};
