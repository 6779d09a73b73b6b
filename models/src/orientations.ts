/** Networks that judge each image in several orientations. */
import * as tf from '@tensorflow/tfjs-core';
import type { Network, Tensors } from './network.js';

/** The axes along which a kernel [height, width, …] is mirrored: left and right (2), upside down (4). */
const mirroredAxes = (way: number): number[] => [...(way & 4 ? [0] : []), ...(way & 2 ? [1] : [])];

/** A kernel mirrored, and then transposed if `way` is odd; other tensors have no orientation. */
function turned(tensor: tf.Tensor, way: number): tf.Tensor {
  if (tensor.rank !== 4) return tensor;
  const mirrored = way < 2 ? tensor : tf.reverse(tensor, mirroredAxes(way));
  return way & 1 ? tf.transpose(mirrored, [1, 0, 2, 3]) : mirrored;
}

const allTurned = (tensors: Tensors, way: number): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, turned(tensor, way)]));

/**
 * A network whose output is the average over an image in so many orientations, each turned back: as it is,
 * transposed, both mirrored left and right, and all four upside down. To turn an image and its output back is to
 * turn the kernels, which an exported file has as constants: engines need no operator for it.
 *
 * It is not for training: its buffers do not change.
 * @param network of convolutions without padding and with strides of 1; what is not one has no orientation
 * @param count 2, 4 or 8
 */
export const inOrientations = (network: Network, count: number): Network => ({
  ...network,
  apply(params, buffers, x, pass) {
    const outputs = Array.from(
      { length: count },
      (_, way) => network.apply(allTurned(params, way), buffers, x, pass).y,
    );
    return { y: tf.div(tf.addN(outputs), count), buffers };
  },
});
