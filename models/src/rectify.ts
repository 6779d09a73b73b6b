import * as tf from '@tensorflow/tfjs-core';

/** Times this, every positive float32 but the smallest is at least 1. */
const STEEP = 3e38;

/**
 * max(x, slope · x), for slopes from 0 to 1. TF.js's own gradients of relu and leaky relu compare
 * and select, which onnxruntime does an element at a time; a clipped steep line gives the same
 * factor (1 above zero, the slope below and at it) in a tenth of the time. It also has a second
 * derivative, which TF.js's leaky relu lacks.
 */
export const rectify = (x: tf.Tensor, slope: number): tf.Tensor =>
  tf.customGrad((input, save) => {
    const raw = input as tf.Tensor;
    const value = slope === 0 ? tf.relu(raw) : tf.leakyRelu(raw, slope);
    (save as tf.GradSaveFunc)([value]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      tf.mul(dy, tf.clipByValue(tf.mul(saved[0] as tf.Tensor, STEEP), slope, 1));
    return { value, gradFunc };
  })(x);
