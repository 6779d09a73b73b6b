import * as tf from '@tensorflow/tfjs-core';

/**
 * A power of two far below any activation: one between 0 and it would get a factor in between. Its
 * inverse leaves dy room up to 2^28, which no training that converges comes near.
 */
const TINY = 2 ** -100;

/**
 * max(x, slope · x), for slopes from 0 to 1. TF.js's own gradients of relu and leaky relu compare
 * and select, which onnxruntime does an element at a time; clipping what came out gives the same
 * factor (1 above zero, the slope below and at it), but for a power of two, which a graph takes into
 * the product that dy comes from. It also has a second derivative, which TF.js's leaky relu lacks.
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
