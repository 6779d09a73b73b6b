import type { Network, Tensors } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';
import type { LossPair } from '../losses.js';
import type { Optimizer } from '../optimizers.js';
import { differentiate } from './gradients.js';

/** A network in training: what is learnt, what passes leave behind, what its optimiser remembers. */
export interface Trainee {
  readonly params: Tensors;
  readonly buffers: Tensors;
  readonly optimizer: Tensors;
}

export interface GanState {
  readonly generator: Trainee;
  readonly discriminator: Trainee;
}

export interface GanInputs {
  readonly state: GanState;
  /** `images`: pixels 0 to 255, [batch, height, width, channels]. */
  readonly batch: { readonly images: tf.Tensor };
  /** `latents`: [batch, latent size]. */
  readonly noise: { readonly latents: tf.Tensor };
  /** Learning rates. */
  readonly hyper: { readonly generatorRate: tf.Tensor; readonly discriminatorRate: tf.Tensor };
}

export interface GanOutputs {
  readonly state: GanState;
  readonly metrics: { readonly discriminator: tf.Tensor; readonly generator: tf.Tensor };
}

export interface GanSettings {
  readonly generator: Network;
  readonly discriminator: Network;
  readonly loss: LossPair;
  readonly optimizer: Optimizer;
  readonly labelSmoothing: number;
  /** What the pixels 0 and 255 become. */
  readonly range: readonly [number, number];
}

/**
 * One iteration of a GAN (Goodfellow et al. 2014, algorithm 1, with one discriminator step):
 * the discriminator learns to tell a batch of real images from one of generated images, each
 * passed through it on its own; then the generator learns, on the same noise, from the
 * discriminator as it is by then.
 */
export const adversarialStep =
  ({ generator, discriminator, loss, optimizer, labelSmoothing, range }: GanSettings) =>
  ({ state, batch, noise, hyper }: GanInputs): GanOutputs => {
    const { generator: g, discriminator: d } = state;
    const real = fromPixels(batch.images, range);
    const fake = generator.apply(g.params, g.buffers, noise.latents, { training: true }).y;
    const dStep = differentiate((params) => {
      const onReal = discriminator.apply(params, d.buffers, real, { training: true });
      const onFake = discriminator.apply(params, onReal.buffers, fake, { training: true });
      return {
        loss: loss.discriminator(onReal.y, onFake.y, labelSmoothing),
        aux: { buffers: onFake.buffers },
      };
    }, d.params);
    const dNext = optimizer.update(d.params, dStep.grads, d.optimizer, hyper.discriminatorRate);

    const gStep = differentiate((params) => {
      const made = generator.apply(params, g.buffers, noise.latents, { training: true });
      const judged = discriminator.apply(dNext.params, dStep.aux.buffers, made.y, {
        training: true,
      });
      return {
        loss: loss.generator(judged.y),
        aux: { made: made.buffers, judged: judged.buffers },
      };
    }, g.params);
    const gNext = optimizer.update(g.params, gStep.grads, g.optimizer, hyper.generatorRate);

    return {
      state: {
        generator: { params: gNext.params, buffers: gStep.aux.made, optimizer: gNext.state },
        discriminator: { params: dNext.params, buffers: gStep.aux.judged, optimizer: dNext.state },
      },
      metrics: { discriminator: dStep.loss, generator: gStep.loss },
    };
  };

/** Pixels 0 to 255 as numbers from `low` to `high`. */
const fromPixels = (pixels: tf.Tensor, [low, high]: readonly [number, number]): tf.Tensor => {
  const scaled = tf.mul(pixels, (high - low) / 255);
  return low === 0 ? scaled : tf.add(scaled, low);
};
