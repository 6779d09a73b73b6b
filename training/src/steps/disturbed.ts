import type { Network } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';

/** The name of the noise among what a network is given in training. */
export const DISTURBANCE = 'input';

/**
 * A network to whose input normal noise is added in training.
 * @param deviation the standard deviation of the noise
 */
export const disturbed = (network: Network, deviation: number): Network => ({
  ...network,
  noise: { ...network.noise, [DISTURBANCE]: network.inputShape },
  apply(params, buffers, x, pass) {
    const noise = pass.training && pass.noise?.[DISTURBANCE];
    const seen = noise ? tf.add(x, tf.mul(noise, deviation)) : x;
    return network.apply(params, buffers, seen, pass);
  },
});
