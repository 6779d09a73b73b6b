import * as tf from '@tensorflow/tfjs-core';

/**
 * How little images differ for how much their latents do, for each image and the one so many rows
 * further on: an image that fools the discriminator may not be drawn over and over (Mao et al. 2019,
 * equation 3).
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
