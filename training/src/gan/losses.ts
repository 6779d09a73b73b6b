import * as tf from '@tensorflow/tfjs-core';

/** The discriminator's raw outputs, one per image; higher means more real. */
type ScoreTensor = tf.Tensor;

/**
 * The losses that the two networks minimise, each a mean over the batch. `real` and `fake` are scores
 * [N, 1]. `smoothing` is subtracted from the label 1 of real images (one-sided label smoothing,
 * Salimans et al. 2016, section 3.4).
 */
export interface LossPair {
  /** @throws Error if `smoothing` is not 0 and the loss has no labels */
  discriminator(real: ScoreTensor, fake: ScoreTensor, smoothing: number): tf.Tensor;
  /** Calls `real`, which costs a forward pass, only if the loss compares with real images. */
  generator(fake: ScoreTensor, real: () => ScoreTensor): tf.Tensor;
  /** What a score means: `logit`, the log-odds of being real, or `critic`, an unbounded number. */
  readonly scores: 'logit' | 'critic';
  /** Whether real images have a label that can be smoothed. */
  readonly smoothing: boolean;
  /** Whether the generator's loss compares with real images. */
  readonly relative: boolean;
}

const LOGIT = { scores: 'logit', smoothing: true, relative: false } as const;
const CRITIC = { scores: 'critic', smoothing: false, relative: false } as const;

/** Binary cross-entropy of logits and a label, as softplus(l) − l · label, which cannot overflow. */
const sigmoidCrossEntropy = (logits: tf.Tensor, label: number): tf.Tensor =>
  tf.mean(tf.sub(tf.softplus(logits), tf.mul(logits, label)));

/** Cross-entropy of real logits to the label 1 − smoothing, plus that of generated logits to 0. */
const classification = (real: ScoreTensor, fake: ScoreTensor, smoothing: number): tf.Tensor =>
  tf.add(sigmoidCrossEntropy(real, 1 - smoothing), sigmoidCrossEntropy(fake, 0));

/** Half the mean of (score − label)². */
const halfSquares = (scores: ScoreTensor, label: number): tf.Tensor =>
  tf.mul(tf.mean(tf.square(tf.sub(scores, label))), 0.5);

/** How far scores lie above the average of others. */
const above = (scores: ScoreTensor, others: ScoreTensor): tf.Tensor =>
  tf.sub(scores, tf.mean(others));

/** A discriminator's loss without labels, which cannot be smoothed. */
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

  /** Labels a = 0 for fake, b = 1 for real and c = 1 for the generator (Mao et al. 2017, equation 9). */
  least_squares: {
    ...CRITIC,
    smoothing: true,
    discriminator: (real, fake, smoothing) =>
      tf.add(halfSquares(real, 1 - smoothing), halfSquares(fake, 0)),
    generator: (fake) => halfSquares(fake, 1),
  },

  /**
   * The critic's loss is the negative of its distance estimate (Arjovsky et al. 2017, algorithm 1).
   * It is valid only if the critic's slope is bounded: by a gradient penalty, clipping or spectral
   * normalisation.
   */
  wasserstein: {
    ...CRITIC,
    discriminator: unlabelled((real, fake) => tf.sub(tf.mean(fake), tf.mean(real))),
    generator: (fake) => tf.neg(tf.mean(fake)),
  },

  /** Real scores above 1 and fake scores below −1 cost nothing (Miyato et al. 2018, eq. 16 and 17). */
  hinge: {
    ...CRITIC,
    discriminator: unlabelled((real, fake) =>
      tf.add(tf.mean(tf.relu(tf.sub(1, real))), tf.mean(tf.relu(tf.add(fake, 1)))),
    ),
    generator: (fake) => tf.neg(tf.mean(fake)),
  },

  /**
   * Relativistic average: the logit of an image is its score minus the average score of the other kind
   * (Jolicoeur-Martineau 2018). In both losses, gradients pass through both averages.
   */
  relativistic: {
    ...CRITIC,
    smoothing: true,
    relative: true,
    discriminator: (real, fake, smoothing) =>
      classification(above(real, fake), above(fake, real), smoothing),
    generator: (fake, real) => {
      const scores = real();
      return classification(above(fake, scores), above(scores, fake), 0);
    },
  },

  /**
   * Relativistic, image by image: the logit of a real image is its score minus that of the generated
   * image of the same row (RpGAN: Jolicoeur-Martineau 2018, section 3; Huang et al. 2024, equation 2).
   * Whatever the generator leaves out of the data keeps its real images above their partners, so the
   * loss has no minimum at a few images that fool the discriminator.
   */
  relativistic_pairs: {
    ...CRITIC,
    relative: true,
    discriminator: unlabelled((real, fake) => tf.mean(tf.softplus(tf.sub(fake, real)))),
    generator: (fake, real) => tf.mean(tf.softplus(tf.sub(real(), fake))),
  },
};
