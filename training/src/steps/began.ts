import { spec, type Tensors } from '@gpn/export/trace';
import type { Pair } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';
import type { GanSettings } from './adversarial.js';
import { differentiate } from './gradients.js';
import { likeness } from './likeness.js';
import { fromPixels } from './pixels.js';
import { asInputs, ganState, learn, rateInputs } from './state.js';

/** The networks and settings of the step; the discriminator is an autoencoder of images. */
export interface BeganSettings
  extends Pick<GanSettings, 'generator' | 'discriminator' | 'optimizer' | 'batchSize' | 'range'> {
  /** The step size λ of the balance, and the ratio γ of generated to real energy that it aims at. */
  readonly lambda: number;
  readonly gamma: number;
  /** Weight, in the generator's loss, of the likeness of images whose latents differ; 0 by default. */
  readonly diversity?: number | undefined;
}

/** The state of both networks, and `balance`: k of the paper, the weight of generated images. */
export const beganState = (settings: Pair & Pick<BeganSettings, 'optimizer'>) => ({
  ...ganState(settings, settings.optimizer),
  balance: { shape: [], start: { kind: 'zeros' } as const },
});

/** The specs of the step's inputs. */
export const beganInputs = (settings: BeganSettings) => ({
  state: asInputs(beganState(settings)),
  /** Pixels 0 to 255. */
  batch: { images: spec([settings.batchSize, ...settings.discriminator.inputShape], 'uint8') },
  noise: { latents: spec([settings.batchSize, ...settings.generator.inputShape]) },
  rates: rateInputs(settings.optimizer, 'generator', 'discriminator'),
});
export type BeganInputs = Tensors<ReturnType<typeof beganInputs>>;

/**
 * The reconstruction error of each image, L(v) = mean |v − D(v)|.
 * @param x images
 * @param back their reconstructions, of the same shape
 * @returns [N, 1]
 */
export const energy = (x: tf.Tensor, back: tf.Tensor): tf.Tensor => {
  const [n] = x.shape as [number];
  const apart = tf.reshape(tf.abs(tf.sub(x, back)), [n, x.size / n]);
  return tf.mean(apart, 1, true);
};

/**
 * One step of BEGAN (Berthelot et al. 2017, section 3.4). D minimises L(x) − k·L(G(z)), G minimises
 * L(G(z)), and k is adjusted so that E L(G(z)) approaches γ · E L(x).
 */
export const beganStep =
  ({ generator, discriminator, optimizer, range, lambda, gamma, diversity }: BeganSettings) =>
  ({ state, batch, noise, rates }: BeganInputs) => {
    const { generator: g, discriminator: d, balance: k } = state;
    const real = fromPixels(batch.images, range);
    const pass = { training: true };
    const fake = generator.apply(g.params, g.buffers, noise.latents, pass).y;
    const dStep = differentiate((params) => {
      const meanEnergy = (x: tf.Tensor) =>
        tf.mean(energy(x, discriminator.apply(params, d.buffers, x, pass).y));
      const onReal = meanEnergy(real);
      return { loss: tf.sub(onReal, tf.mul(k, meanEnergy(fake))), aux: { real: { onReal } } };
    }, d.params);
    const dNext = learn(optimizer, d, dStep.grads, rates, 'discriminator');

    const gStep = differentiate((params) => {
      const made = generator.apply(params, g.buffers, noise.latents, pass).y;
      const back = discriminator.apply(dNext.params, d.buffers, made, pass).y;
      const onFake = tf.mean(energy(made, back));
      const alike = diversity && tf.mul(diversity, likeness(made, noise.latents));
      return { loss: alike ? tf.add(onFake, alike) : onFake, aux: { fake: { onFake } } };
    }, g.params);
    const gNext = learn(optimizer, g, gStep.grads, rates, 'generator');

    const { onReal } = dStep.aux.real;
    const { onFake } = gStep.aux.fake;
    const off = tf.sub(tf.mul(gamma, onReal), onFake);
    const balance = tf.clipByValue(tf.add(k, tf.mul(lambda, off)), 0, 1);
    return {
      state: {
        generator: { ...g, params: gNext.params, optimizer: gNext.state },
        discriminator: { ...d, params: dNext.params, optimizer: dNext.state },
        balance,
      },
      metrics: {
        discriminator: dStep.loss,
        generator: onFake,
        /** The paper's measure of convergence, M. */
        convergence: tf.add(onReal, tf.abs(off)),
        balance: tf.clone(balance),
      },
    };
  };
