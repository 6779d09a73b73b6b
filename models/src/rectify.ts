import * as tf from '@tensorflow/tfjs-core';

/**
 * A power of two far below any activation. (An activation between 0 and TINY would get a factor
 * between the slope and 1.) Its inverse allows gradients dy up to 2^28, far above those of any
 * training that converges.
 */
const TINY = 2 ** -100;

/**
 * max(x, slope · x), for slopes from 0 to 1. TF.js's own gradients of relu and leaky relu compare
 * and select, which onnxruntime does one element at a time. Clipping the output instead gives the
 * same factor (1 above zero, the slope at and below zero), except for a power of two, which a graph
 * merges into the product that yields dy. It also has a second derivative, which TF.js's leaky relu
 * lacks.
 */
export const rectify = (x: tf.Tensor, slope: number): tf.Tensor =>
  tf.customGrad((input, save) => {
    const raw = input as tf.Tensor;
    const value = slope === 0 ? tf.relu(raw) : tf.leakyRelu(raw, slope);
    (save as tf.GradSaveFunc)([value]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      tf.mul(tf.mul(dy, 1 / TINY), tf.clipByValue(saved[0] as tf.Tensor, slope * TINY, TINY));
    return { value, gradFunc };
  })(x);
