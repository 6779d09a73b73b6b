import type { Tensors } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';

/** Keeps the gradient of a norm finite where the norm is zero; beside a norm of 1 it is nothing. */
const TINY = 1e-12;

/**
 * How far a critic is from slope 1 between real and generated images: the mean over the batch of
 * (‖∇critic(x̂)‖₂ − 1)², x̂ = ε · real + (1 − ε) · fake (Gulrajani et al. 2017, equation 3). The
 * norm is over all numbers of an image. It can be differentiated again, for the critic's weights.
 *
 * @param critic from [N, …] to [N, 1]; each score of its own image alone, so no batch
 *   normalisation. Its layers must have right second derivatives in TF.js, which convolutions,
 *   dense layers and this package's rectifiers have; tanh, sigmoid and softmax have not.
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
  // The scores' sum has each image's own gradient, as no score depends on another image.
  const slopes = tf.grad((x) => tf.sum(critic(x)))(between);
  const norms = tf.sqrt(tf.add(tf.sum(tf.square(slopes), axes), TINY));
  return tf.mean(tf.square(tf.sub(norms, 1)));
}

/** Every parameter cut to [−limit, limit], as the first WGAN has them (Arjovsky et al. 2017). */
export const clip = (params: Tensors, limit: number): Tensors =>
  Object.fromEntries(
    Object.entries(params).map(([name, p]) => [name, tf.clipByValue(p, -limit, limit)]),
  );
