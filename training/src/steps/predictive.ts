/** Generative Predictive Networks: a discriminator of fragments learns alone, then trains a generator. */
import type { Network, Tensors } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';
import { type FragmentSize, sideOf } from '../data/fragments.js';
import type { Optimizer } from '../optimizers.js';
import type { Trainee } from './adversarial.js';
import { differentiate } from './gradients.js';

type Frozen = Pick<Trainee, 'params' | 'buffers'>;

export interface FragmentInputs {
  readonly state: {
    readonly discriminator: Trainee;
    /** Where generated fragments are negatives too. */
    readonly generator?: Frozen;
  };
  readonly batch: {
    /** [fragments, side, side, channels], values from 0 to 1. */
    readonly fragments: tf.Tensor;
    /** 1 real, 0 altered, and what each counts: [fragments + generated fragments]. */
    readonly labels: tf.Tensor;
    readonly weights: tf.Tensor;
    /** Where the generated fragments lie: see `fragmentIndices`. */
    readonly places?: tf.Tensor;
  };
  readonly noise: { readonly dropout?: Tensors; readonly latents?: tf.Tensor };
  readonly rates: { readonly discriminator: tf.Tensor };
}

export interface FragmentSettings {
  readonly discriminator: Network;
  readonly optimizer: Optimizer;
  readonly size: FragmentSize;
  /** Its fragments are negatives beside the altered ones; it does not learn from that. */
  readonly rival?: Network;
}

/**
 * One step of predictive learning: the discriminator learns to tell fragments of real images from
 * altered ones, by the softmax cross-entropy of its two logits.
 */
export const fragmentStep =
  ({ discriminator, optimizer, size, rival }: FragmentSettings) =>
  ({ state, batch, noise, rates }: FragmentInputs) => {
    const { discriminator: d, generator: g } = state;
    const generated =
      rival && g
        ? fragmentsOf(draw(rival, g, noise.latents as tf.Tensor), batch.places as tf.Tensor, size)
        : undefined;
    const shown = generated ? tf.concat([batch.fragments, generated], 0) : batch.fragments;
    const { loss, grads, aux } = differentiate((params) => {
      const pass = { training: true, noise: noise.dropout ?? {} };
      const judged = discriminator.apply(params, d.buffers, shown, pass);
      const entropy = crossEntropy(margin(judged.y), batch.labels);
      const mean = tf.div(tf.sum(tf.mul(entropy, batch.weights)), tf.sum(batch.weights));
      return { loss: mean, aux: { buffers: judged.buffers } };
    }, d.params);
    const next = optimizer.update(d.params, grads, d.optimizer, rates.discriminator);
    const after = { params: next.params, buffers: aux.buffers, optimizer: next.state };
    return { state: { ...state, discriminator: after }, metrics: { discriminator: loss } };
  };

export interface DeceptionInputs {
  readonly state: { readonly generator: Trainee; readonly discriminator: Frozen };
  /** `places`: which fragments of every image are judged, as `fragmentIndices` gives them. */
  readonly batch: { readonly places: tf.Tensor };
  readonly noise: { readonly latents: tf.Tensor };
  readonly rates: { readonly generator: tf.Tensor };
}

export interface DeceptionSettings {
  readonly generator: Network;
  readonly discriminator: Network;
  readonly optimizer: Optimizer;
  readonly size: FragmentSize;
  readonly loss: DeceptionLoss;
}

/**
 * One step of the generator against the discriminator as it was left: frozen, without dropout. The
 * same fragments of each of its images are judged.
 */
export const deceptionStep =
  ({ generator, discriminator, optimizer, size, loss }: DeceptionSettings) =>
  ({ state, batch, noise, rates }: DeceptionInputs) => {
    const { generator: g, discriminator: d } = state;
    const step = differentiate((params) => {
      const made = generator.apply(params, g.buffers, noise.latents, { training: true });
      const fragments = fragmentsOf(made.y, batch.places, size);
      const judged = discriminator.apply(d.params, d.buffers, fragments, { training: false });
      const pairs = tf.reshape(judged.y, [-1, 2]);
      const fake = tf.mean(tf.sigmoid(tf.neg(margin(judged.y))));
      return { loss: loss(pairs), aux: { buffers: made.buffers, metrics: { fake } } };
    }, g.params);
    const next = optimizer.update(g.params, step.grads, g.optimizer, rates.generator);
    const after = { params: next.params, buffers: step.aux.buffers, optimizer: next.state };
    const fragments = (batch.places.size / sideOf(size) ** 2) * (noise.latents.shape[0] as number);
    return {
      state: { ...state, generator: after },
      // The loss is a sum; a mean can be compared.
      metrics: {
        generator: tf.div(step.loss, fragments),
        fake: step.aux.metrics.fake as tf.Tensor,
      },
    };
  };

/** From the logits (fake, real) of all fragments, [N, 2], to what the generator minimises. */
export type DeceptionLoss = (logits: tf.Tensor) => tf.Tensor;

/** The generator's losses by the names that recipes use, sums over all fragments. */
export const DECEPTION_LOSSES: Readonly<Record<'sigmoid' | 'modified', DeceptionLoss>> = {
  /** The sigmoid of the logit of "fake". */
  sigmoid: (logits) => tf.sum(tf.sigmoid(tf.slice(logits, [0, 0], [-1, 1]))),
  /** −log of the probability of "real": it does not fade where the discriminator is sure. */
  modified: (logits) => tf.sum(tf.softplus(tf.neg(margin(logits)))),
};

/** By how much the logit of "real" exceeds that of "fake", the logarithm of their odds: [N]. */
export const margin = (logits: tf.Tensor): tf.Tensor => {
  const [fake, real] = tf.split(tf.reshape(logits, [-1, 2]), 2, 1) as [tf.Tensor, tf.Tensor];
  return tf.reshape(tf.sub(real, fake), [-1]);
};

/** Softmax cross-entropy over two classes, which is the logistic one of the margin: [N]. */
const crossEntropy = (margins: tf.Tensor, labels: tf.Tensor): tf.Tensor =>
  tf.sub(tf.softplus(margins), tf.mul(margins, labels));

const draw = (generator: Network, { params, buffers }: Frozen, latents: tf.Tensor): tf.Tensor =>
  generator.apply(params, buffers, latents, { training: false }).y;

/** The same fragments of each image, with zeros around it: [N · fragments, side, side, channels]. */
export function fragmentsOf(images: tf.Tensor, places: tf.Tensor, size: FragmentSize): tf.Tensor {
  const [n, h, w, channels] = images.shape as [number, number, number, number];
  const { frame } = size;
  const side = sideOf(size);
  const edge: [number, number] = [frame, frame];
  const padded = tf.pad(images as tf.Tensor4D, [[0, 0], edge, edge, [0, 0]]);
  const pixels = tf.reshape(padded, [n, (h + 2 * frame) * (w + 2 * frame), channels]);
  return tf.reshape(tf.gather(pixels, places, 1), [-1, side, side, channels]);
}
