import type { Tensors } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';
import { mapRecord } from '../records.js';

/** Keeps the gradient of a norm finite at zero; negligible for norms near 1. */
const TINY = 1e-12;

/**
 * The gradient penalty of WGAN-GP: the mean over the batch of (‖∇critic(x̂)‖₂ − 1)², with
 * x̂ = ε · real + (1 − ε) · fake (Gulrajani et al. 2017, equation 3). The norm is over all values of
 * an image. The result can be differentiated again by the critic's weights.
 *
 * @param critic maps [N, …] to [N, 1]. Each score must depend on its own image only, so there must be
 *   no batch normalisation. Its layers must have correct second derivatives in TF.js: convolutions,
 *   fully connected layers and this package's rectifiers have them; tanh, sigmoid and softmax do not.
 * @param epsilon uniform on (0, 1), one for each image: N numbers
 */
export function gradientPenalty(
  critic: (x: tf.Tensor) => tf.Tensor,
  real: tf.Tensor,
  fake: tf.Tensor,
  epsilon: tf.Tensor,
): tf.Tensor {
  const [count = 0, ...sizes] = real.shape;
  const axes = sizes.map((_, i) => i + 1);
  const share = tf.reshape(epsilon, [count, ...sizes.map(() => 1)]);
  const between = tf.add(fake, tf.mul(share, tf.sub(real, fake)));
  // The gradient of the sum is that of each image, because no score depends on another image.
  const slopes = tf.grad((x) => tf.sum(critic(x)))(between);
  const norms = tf.sqrt(tf.add(tf.sum(tf.square(slopes), axes), TINY));
  return tf.mean(tf.square(tf.sub(norms, 1)));
}

/**
 * The zero-centred gradient penalty, γ/2 · mean ‖∇D(x)‖² over the batch: R1 for real images, R2 for
 * generated ones (Mescheder et al. 2018, equations 9 and 10). The norm is over all values of an image.
 * @param slopes the gradients of raw scores by the images that the discriminator was given
 * @param weight γ, a scalar
 */
export function slopePenalty(slopes: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const squares = tf.sum(tf.square(slopes), slopes.shape.map((_, i) => i).slice(1));
  return tf.mul(tf.mul(weight, 0.5), tf.mean(squares));
}

/** Clips all parameters to [−limit, limit], as in the first WGAN (Arjovsky et al. 2017). */
export const clip = (params: Tensors, limit: number): Tensors =>
  mapRecord(params, (p) => tf.clipByValue(p, -limit, limit));
