import * as tf from '@tensorflow/tfjs-core';

/**
 * How little images differ for how much their latents do, for each image and the next: an image
 * that fools the discriminator may not be drawn over and over (Mao et al. 2019, equation 3).
 */
export const likeness = (images: tf.Tensor, latents: tf.Tensor): tf.Tensor => {
  const n = latents.shape[0] as number;
  const apart = (x: tf.Tensor) => {
    const rows = tf.reshape(x, [n, -1]);
    const next = tf.concat([tf.slice(rows, [1, 0]), tf.slice(rows, [0, 0], [1, -1])], 0);
    return tf.mean(tf.abs(tf.sub(rows, next)), 1);
  };
  return tf.mean(tf.div(apart(latents), tf.add(apart(images), 0.01)));
};
