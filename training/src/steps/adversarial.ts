import { spec, type Tensors as TensorsOf } from '@gpn/export/trace';
import type { Network, Tensors } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';
import type { LossPair } from '../gan/losses.js';
import type { Optimizer } from '../gan/optimizers.js';
import { AUGMENTATION_DRAWS, type Augmentation, augment } from './augment.js';
import { clip, gradientPenalty, slopePenalty } from './gradient-penalty.js';
import { differentiate, scoresAndSlopes } from './gradients.js';
import { fromPixels, sliceBatch } from './pixels.js';
import { asInputs, ganState, learn, rateInputs } from './state.js';
import { unrolled } from './unrolled.js';

/** A network in training: its weights, its buffers (running statistics) and its optimiser's state. */
export interface Trainee {
  readonly params: Tensors;
  readonly buffers: Tensors;
  readonly optimizer: Tensors;
}

/** The networks and settings of the step. */
export interface GanSettings {
  readonly generator: Network;
  readonly discriminator: Network;
  readonly loss: LossPair;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  /** The values that the networks see for the pixels 0 and 255. */
  readonly range: readonly [number, number];
  readonly labelSmoothing: number;
  readonly discriminatorSteps: number;
  readonly generatorSteps: number;
  /** The weight λ of the gradient penalty; 0 for none. */
  readonly gradientPenalty: number;
  /** Whether the scores of real (R1) and generated images (R2) are penalised for their slopes. */
  readonly slopePenalties: { readonly r1: boolean; readonly r2: boolean };
  /** The random changes through which the discriminator sees all images; none by default. */
  readonly augmentation?: readonly Augmentation[];
  /** Whether normal noise is added to all images that the discriminator sees; not by default. */
  readonly inputNoise?: boolean;
  /** Largest magnitude of the critic's weights (Arjovsky et al. 2017); no limit by default. */
  readonly weightClip?: number;
  /** Images that the discriminator scores together (PacGAN, Lin et al. 2018); 1 by default. */
  readonly packing?: number;
  /** Updates of the discriminator that the generator foresees; 0 by default. Not with penalties on slopes. */
  readonly unrolledSteps?: number;
}

/** Number of real images of a step, over all its updates. */
export const imagesOf = ({ discriminatorSteps, batchSize }: GanSettings): number =>
  discriminatorSteps * batchSize;

/**
 * Number of latents of a step. The last discriminator update and the first generator update share
 * theirs.
 */
export const latentsOf = ({ discriminatorSteps, generatorSteps, batchSize }: GanSettings): number =>
  (discriminatorSteps + generatorSteps - 1) * batchSize;

/** Number of images that the discriminator sees, over all updates of a step. */
export const seenOf = ({ discriminatorSteps, generatorSteps, ...rest }: GanSettings) =>
  (2 * discriminatorSteps + (showsReal(rest) ? 2 : 1) * generatorSteps) * rest.batchSize;

/** Whether the generator learns with real images beside its own. */
const showsReal = ({ loss, unrolledSteps }: Pick<GanSettings, 'loss' | 'unrolledSteps'>): boolean =>
  loss.relative || Boolean(unrolledSteps);

/** Number of scores of a batch. */
const packsOf = ({ batchSize, packing = 1 }: GanSettings): number => batchSize / packing;

/** The shape of the numbers that mix real and generated images for the gradient penalty. */
export const mixtureOf = (settings: GanSettings): readonly number[] => {
  const packs = settings.discriminatorSteps * packsOf(settings);
  return [packs, 1, 1, 1];
};

/** The specs of the step's inputs. */
export function ganInputs(settings: GanSettings) {
  const { generator, discriminator, optimizer, gradientPenalty, slopePenalties } = settings;
  const rows = imagesOf(settings);
  const { labels } = discriminator.conditions;
  return {
    state: asInputs(ganState(settings, optimizer)),
    batch: {
      /** Pixels 0 to 255. */
      images: spec([rows, ...generator.outputShape], 'uint8'),
      /** One-hot classes, if the networks are conditional. */
      ...(labels && { labels: spec([rows, labels]) }),
    },
    noise: {
      latents: spec([latentsOf(settings), ...generator.inputShape]),
      /** Uniform on (0, 1), one number per real image or pack of them, for the gradient penalty. */
      ...(gradientPenalty && { mixture: spec(mixtureOf(settings)) }),
      /** Uniform on (0, 1), for the random changes. */
      ...(settings.augmentation && {
        augmentation: spec([seenOf(settings), AUGMENTATION_DRAWS]),
      }),
      /** Normal numbers, one per value of each image that is seen. */
      ...(settings.inputNoise && { input: spec([seenOf(settings), ...generator.outputShape]) }),
    },
    rates: {
      ...rateInputs(optimizer, 'generator', 'discriminator'),
      /** γ of each penalty. */
      ...(slopePenalties.r1 && { r1: spec([]) }),
      ...(slopePenalties.r2 && { r2: spec([]) }),
      /** The standard deviation of the noise. */
      ...(settings.inputNoise && { input_noise: spec([]) }),
    },
  };
}
export type GanInputs = TensorsOf<ReturnType<typeof ganInputs>>;

/**
 * One step of a GAN (Goodfellow et al. 2014, algorithm 1). First the discriminator learns to
 * distinguish a batch of real images from a batch of generated ones, each in a forward pass of its
 * own. Then the generator learns from the updated discriminator, with the latents of the last
 * generated batch. With labels, both networks are given them (Mirza & Osindero 2014). With augmentation,
 * the discriminator sees every image changed at random, and penalties on slopes are about the images that
 * it sees. Noise is added to them after that (Sønderby et al. 2017). With packing, what it sees are packs of images, which have one score, one slope and one
 * number of the mixture each. With unrolled steps the generator learns from what the discriminator would be
 * after so many more updates on the same images (Metz et al. 2017).
 */
export const adversarialStep =
  (settings: GanSettings) =>
  ({ state, batch, noise, rates }: GanInputs) => {
    const { loss, optimizer, discriminatorSteps, generatorSteps, batchSize } = settings;
    const { augmentation, packing = 1, unrolledSteps = 0 } = settings;
    let { generator: g, discriminator: d } = state;
    let losses = {} as Record<'generator' | 'discriminator', tf.Tensor>;
    const part = <T extends tf.Tensor | undefined>(x: T, k: number) => sliceBatch(x, k, batchSize);
    let seen = 0;
    const see = (x: tf.Tensor): tf.Tensor => {
      const [draws, added] = [part(noise.augmentation, seen), part(noise.input, seen)];
      seen++;
      const changed = augmentation && draws ? augment(x, draws, augmentation, settings.range) : x;
      const noisy = added
        ? tf.add(changed, tf.mul(added, rates.input_noise as tf.Tensor))
        : changed;
      return packed(noisy, packing);
    };

    /** The discriminator after an update. */
    const learnt = (from: Omit<Trainee, 'buffers'>, grads: Tensors, squared?: Tensors) => {
      const next = learn(optimizer, from, grads, rates, 'discriminator', squared);
      const params = settings.weightClip ? clip(next.params, settings.weightClip) : next.params;
      return { params, optimizer: next.state };
    };

    for (let k = 0; k < discriminatorSteps; k++) {
      const given = conditions(part(batch.labels, k));
      const real = see(fromPixels(part(batch.images, k), settings.range));
      const made = see(generate(settings, g, part(noise.latents, k), given).y);
      const { grads, aux, ...step } = differentiate((params) => {
        const discriminate = discriminatorOf(settings, params, given);
        const onReal = penalised(discriminate, d.buffers, real, rates.r1);
        const onFake = penalised(discriminate, onReal.buffers, made, rates.r2);
        const adversarial = loss.discriminator(onReal.y, onFake.y, settings.labelSmoothing);
        const mixture = sliceBatch(noise.mixture, k, packsOf(settings));
        const judge = (x: tf.Tensor) => discriminate(onFake.buffers, x).y;
        const critic = mixture && gradientPenalty(judge, real, made, mixture);
        const penalties = [
          critic && tf.mul(settings.gradientPenalty, critic),
          onReal.penalty,
          onFake.penalty,
        ].filter((penalty) => penalty !== undefined);
        const total = penalties.reduce((sum, penalty) => tf.add(sum, penalty), adversarial);
        return { loss: total, aux: { buffers: onFake.buffers } };
      }, d.params);
      d = { ...d, ...learnt(d, grads), buffers: aux.buffers }; // in the order of the state
      losses = { ...losses, discriminator: step.loss };
    }

    for (let k = 0; k < generatorSteps; k++) {
      const last = discriminatorSteps - 1;
      const given = conditions(part(batch.labels, last));
      const latents = part(noise.latents, last + k);
      const { grads, aux, ...step } = differentiate((params) => {
        const made = generate(settings, { ...g, params }, latents, given);
        const shown = see(made.y);
        const real = once(() => see(fromPixels(part(batch.images, last), settings.range)));
        const foreseen = unrolled(
          d,
          unrolledSteps,
          (values) => {
            const judge = discriminatorOf(settings, values, given);
            const onReal = judge(d.buffers, real());
            const onFake = judge(onReal.buffers, shown);
            return loss.discriminator(onReal.y, onFake.y, settings.labelSmoothing);
          },
          learnt,
        );
        const discriminate = discriminatorOf(settings, foreseen, given);
        const scored = discriminate(d.buffers, shown);
        return {
          loss: loss.generator(scored.y, () => discriminate(d.buffers, real()).y),
          aux: { made: made.buffers, scored: scored.buffers },
        };
      }, g.params);
      const next = learn(optimizer, g, grads, rates, 'generator');
      g = { params: next.params, buffers: aux.made, optimizer: next.state };
      d = { ...d, buffers: aux.scored };
      losses = { ...losses, generator: step.loss };
    }
    return { state: { generator: g, discriminator: d }, metrics: losses };
  };

/**
 * Joins images in channels, [N, height, width, channels] to [N / m, height, width, m · channels]: image i
 * of the result is i, i + N / m, i + 2 · N / m and so on.
 */
const packed = (x: tf.Tensor, m: number): tf.Tensor => (m === 1 ? x : tf.concat(tf.split(x, m), 3));

/** Computes a value when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const conditions = (labels: tf.Tensor | undefined): Tensors => (labels ? { labels } : {});

const generate = (
  { generator }: GanSettings,
  { params, buffers }: Trainee,
  latents: tf.Tensor,
  given: Tensors,
) => generator.apply(params, buffers, latents, { training: true, conditions: given });

const discriminatorOf =
  ({ discriminator }: GanSettings, params: Tensors, given: Tensors) =>
  (buffers: Tensors, x: tf.Tensor) =>
    discriminator.apply(params, buffers, x, { training: true, conditions: given });

type Discriminate = ReturnType<typeof discriminatorOf>;

/** Scores images and, with a weight, penalises the slopes of the scores, in the same forward pass. */
function penalised(
  discriminate: Discriminate,
  buffers: Tensors,
  x: tf.Tensor,
  weight: tf.Tensor | undefined,
): { y: tf.Tensor; buffers: Tensors; penalty?: tf.Tensor } {
  if (!weight) return discriminate(buffers, x);
  const { y, aux, slopes } = scoresAndSlopes((images) => {
    const scored = discriminate(buffers, images);
    return { y: scored.y, aux: { buffers: scored.buffers } };
  }, x);
  return { y, buffers: aux.buffers, penalty: slopePenalty(slopes, weight) };
}
