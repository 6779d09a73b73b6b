import { spec, trace } from '@gpn/export';
import { withModelInfo } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';

/** A generator of 2×3 grey images in (0, 1) from four latents, as the bytes of an ONNX file. */
export function tinyGenerator(): Uint8Array {
  const weights = tf.tensor2d(
    Array.from({ length: 24 }, (_, i) => Math.sin(i)),
    [4, 6],
  );
  const { toBytes } = trace(
    ({ latent }) => ({
      image: tf.reshape(tf.sigmoid(tf.matMul(latent as tf.Tensor2D, weights)), [-1, 2, 3, 1]),
    }),
    { latent: spec(['N', 4]) },
    { name: 'tiny' },
  );
  return withModelInfo(toBytes(), {
    version: 1,
    name: 'tiny',
    kind: 'generator',
    input: 'latent',
    output: 'image',
    image: { height: 2, width: 3, channels: 1, range: [0, 1], layout: 'NHWC', color: 'gray' },
    latent: { size: 4, distribution: 'uniform' },
  });
}
