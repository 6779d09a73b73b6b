import * as tf from '@tensorflow/tfjs-core';

/**
 * The likeness of images relative to their latents: the average, over pairs, of the distance between
 * two latents divided by that between their images. It is large if the generator draws the same image
 * for different latents (the inverse of Mao et al. 2019, equation 3).
 *
 * @param images [N, …]
 * @param latents [N, size]
 * @param further image i is paired with image i + further, modulo N
 * @returns a scalar
 */
export const likeness = (images: tf.Tensor, latents: tf.Tensor, further = 1): tf.Tensor => {
  const n = latents.shape[0] as number;
  const apart = (x: tf.Tensor) => {
    const rows = tf.reshape(x, [n, -1]);
    const [first, rest] = tf.split(rows, [further, n - further]) as [tf.Tensor, tf.Tensor];
    return tf.mean(tf.abs(tf.sub(rows, tf.concat([rest, first]))), 1);
  };
  return tf.mean(tf.div(apart(latents), tf.add(apart(images), 0.01)));
};
