import * as tf from '@tensorflow/tfjs-core';

/** One number a judged image: the discriminator's raw output. */
type Logits = tf.Tensor;

/**
 * What the two networks minimise, each a mean over the batch. `real` and `fake` are the
 * discriminator's raw outputs; `smoothing` is what the label of real images lacks to 1.
 */
export interface LossPair {
  discriminator(real: Logits, fake: Logits, smoothing: number): tf.Tensor;
  generator(fake: Logits): tf.Tensor;
}

/** Binary cross-entropy of logits against a label: softplus(l) − l · label, which cannot overflow. */
const crossEntropy = (logits: Logits, label: number): tf.Tensor =>
  tf.mean(tf.sub(tf.softplus(logits), tf.mul(logits, label)));

/** The loss pairs by the names that recipes use. */
export const LOSSES: Readonly<Record<string, LossPair>> = {
  /** Non-saturating: the generator maximises log D(G(z)) (Goodfellow et al. 2014, section 3). */
  modified: {
    discriminator: (real, fake, smoothing) =>
      tf.add(crossEntropy(real, 1 - smoothing), crossEntropy(fake, 0)),
    generator: (fake) => crossEntropy(fake, 1),
  },
};
