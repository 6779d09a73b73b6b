import { spec, trace } from '@gpn/export';
import { type ModelInfo, withModelInfo } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';

/**
 * A generator that has collapsed altogether: it draws one of these images, the one whose latent is
 * the largest.
 *
 * @param images [count, 784], 0 … 255, two at least
 */
export function tableGenerator(name: string, images: Uint8Array): Uint8Array {
  const count = images.length / 784;
  const info: ModelInfo = {
    version: 1,
    name,
    kind: 'generator',
    input: 'latents',
    output: 'images',
    image: { height: 28, width: 28, channels: 1, range: [0, 1], layout: 'NHWC', color: 'gray' },
    latent: { size: count, distribution: 'uniform' },
  };
  const model = trace(
    ({ latents }) => {
      const table = tf.tensor2d(
        Float32Array.from(images, (byte) => byte / 255),
        [count, 784],
      );
      const chosen = tf.oneHot(tf.argMax(latents, 1) as tf.Tensor1D, count);
      const drawn = tf.matMul(tf.cast(chosen, 'float32') as tf.Tensor2D, table);
      return { images: tf.reshape(drawn, [drawn.shape[0], 28, 28, 1]) };
    },
    { latents: spec(['N', count]) },
  );
  return withModelInfo(model.toBytes(), info);
}
