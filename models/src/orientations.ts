/** Networks that judge each image in several orientations. */
import * as tf from '@tensorflow/tfjs-core';
import type { Network } from './network.js';

/** The axes along which [N, height, width, channels] is mirrored: left and right (2), upside down (4). */
const mirroredAxes = (way: number): number[] => [...(way & 4 ? [1] : []), ...(way & 2 ? [2] : [])];
const transposed = (x: tf.Tensor, way: number): tf.Tensor =>
  way & 1 ? tf.transpose(x, [0, 2, 1, 3]) : x;
const mirrored = (x: tf.Tensor, way: number): tf.Tensor =>
  way < 2 ? x : tf.reverse(x, mirroredAxes(way));

/**
 * A network whose output is the average over an image in so many orientations, each turned back: as it is,
 * transposed, both mirrored left and right, and all four upside down. It takes images whose rows and columns may be
 * exchanged, gives maps of as many, and is not for training: its buffers do not change.
 * @param count 2, 4 or 8
 */
export const inOrientations = (network: Network, count: number): Network => ({
  ...network,
  apply(params, buffers, x, pass) {
    const outputs = Array.from({ length: count }, (_, way) => {
      const { y } = network.apply(params, buffers, mirrored(transposed(x, way), way), pass);
      return transposed(mirrored(y, way), way);
    });
    return { y: tf.div(tf.addN(outputs), count), buffers };
  },
});
