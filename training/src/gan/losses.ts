import * as tf from '@tensorflow/tfjs-core';

/** One number a judged image, the discriminator's raw output: the more real, the higher. */
type ScoreTensor = tf.Tensor;

/**
 * What the two networks minimise, each a mean over the batch. `real` and `fake` are scores of
 * [N, 1]; `smoothing` is what the label of real images lacks to 1 (one-sided label smoothing,
 * Salimans et al. 2016, section 3.4).
 */
export interface LossPair {
  /** @throws Error if there is smoothing, and no label to smooth */
  discriminator(real: ScoreTensor, fake: ScoreTensor, smoothing: number): tf.Tensor;
  /** Only a loss that compares with real images calls for their scores, which cost a pass. */
  generator(fake: ScoreTensor, real: () => ScoreTensor): tf.Tensor;
  /** What a score means: the log-odds of being real, or a number on a scale of its own. */
  readonly scores: 'logit' | 'critic';
  /** Whether real images have a label, which can be smoothed. */
  readonly smoothing: boolean;
}

const LOGIT = { scores: 'logit', smoothing: true } as const;
const CRITIC = { scores: 'critic', smoothing: false } as const;

/** Binary cross-entropy of logits against a label: softplus(l) − l · label, which cannot overflow. */
const sigmoidCrossEntropy = (logits: tf.Tensor, label: number): tf.Tensor =>
  tf.mean(tf.sub(tf.softplus(logits), tf.mul(logits, label)));

/** Logits of real images to label 1, less the smoothing, and of generated ones to 0. */
const classification = (real: ScoreTensor, fake: ScoreTensor, smoothing: number): tf.Tensor =>
  tf.add(sigmoidCrossEntropy(real, 1 - smoothing), sigmoidCrossEntropy(fake, 0));

/** Half the mean of (score − label)². */
const halfSquares = (scores: ScoreTensor, label: number): tf.Tensor =>
  tf.mul(tf.mean(tf.square(tf.sub(scores, label))), 0.5);

/** How much higher scores are than others are on average. */
const above = (scores: ScoreTensor, others: ScoreTensor): tf.Tensor =>
  tf.sub(scores, tf.mean(others));

/** A discriminator's loss that gives real images no label. */
const unlabelled =
  (loss: (real: ScoreTensor, fake: ScoreTensor) => tf.Tensor): LossPair['discriminator'] =>
  (real, fake, smoothing) => {
    if (smoothing !== 0) throw new Error('this loss has no label to smooth');
    return loss(real, fake);
  };

/** The loss pairs by the names that recipes use. */
export const LOSSES: Readonly<Record<string, LossPair>> = {
  /** Saturating: the generator minimises log(1 − D(G(z))) (Goodfellow et al. 2014, equation 1). */
  minimax: {
    ...LOGIT,
    discriminator: classification,
    generator: (fake) => tf.neg(sigmoidCrossEntropy(fake, 0)),
  },

  /** Non-saturating: the generator maximises log D(G(z)) (Goodfellow et al. 2014, section 3). */
  modified: {
    ...LOGIT,
    discriminator: classification,
    generator: (fake) => sigmoidCrossEntropy(fake, 1),
  },

  /** With the labels a = 0 fake, b = 1 real and c = 1 aimed at (Mao et al. 2017, equation 9). */
  least_squares: {
    ...CRITIC,
    smoothing: true,
    discriminator: (real, fake, smoothing) =>
      tf.add(halfSquares(real, 1 - smoothing), halfSquares(fake, 0)),
    generator: (fake) => halfSquares(fake, 1),
  },

  /**
   * The critic's loss is minus the distance it finds (Arjovsky et al. 2017, algorithm 1). It holds
   * only for a critic whose slope is bounded: by a gradient penalty, clipping or normalisation.
   */
  wasserstein: {
    ...CRITIC,
    discriminator: unlabelled((real, fake) => tf.sub(tf.mean(fake), tf.mean(real))),
    generator: (fake) => tf.neg(tf.mean(fake)),
  },

  /** ScoreTensor beyond ±1 on the right side cost nothing (Miyato et al. 2018, equations 16 and 17). */
  hinge: {
    ...CRITIC,
    discriminator: unlabelled((real, fake) =>
      tf.add(tf.mean(tf.relu(tf.sub(1, real))), tf.mean(tf.relu(tf.add(fake, 1)))),
    ),
    generator: (fake) => tf.neg(tf.mean(fake)),
  },

  /**
   * Relativistic average: an image's logit is how far its score lies above the other kind's mean
   * (Jolicoeur-Martineau 2018). Both losses pass gradients through both means.
   */
  relativistic: {
    ...CRITIC,
    smoothing: true,
    discriminator: (real, fake, smoothing) =>
      classification(above(real, fake), above(fake, real), smoothing),
    generator: (fake, real) => {
      const scores = real();
      return classification(above(fake, scores), above(scores, fake), 0);
    },
  },
};
