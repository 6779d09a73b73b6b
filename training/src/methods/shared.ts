/** What the methods that train both networks in one step have in common. */
import type { Pair } from '@gpn/models';
import { type RandomStream, stream, type TensorData, UserError } from '@gpn/runtime';
import { z } from 'zod';
import { batches, gatherBatch, gatherLabels } from '../data/batches.js';
import { floats, oneHot, pixels } from '../data/tensors.js';
import type { Dataset } from '../data/types.js';
import type { State } from '../engine/types.js';
import { LOSSES, type LossPair } from '../gan/losses.js';
import { OPTIMIZERS, type Optimizer } from '../gan/optimizers.js';
import type { CommonRecipe } from '../recipe/keys/common.js';
import type { PhaseData } from './method.js';

export const optimizerOf = ({ training: { optimizer } }: CommonRecipe): Optimizer =>
  OPTIMIZERS[optimizer.type](optimizer);

/** The keys of methods with a pair of losses. */
export const lossKeys = {
  loss: z.enum(Object.keys(LOSSES)).describe('The pair of losses of discriminator and generator.'),
  label_smoothing: z
    .number()
    .min(0)
    .max(0.5)
    .optional()
    .describe('The discriminator’s target for real images is 1 minus this; 0 unless given.'),
};

/** The pair of losses of a recipe that names one. */
export const lossOf = ({ training }: { training: { loss: string } }): LossPair =>
  LOSSES[training.loss] as LossPair;

/** The learning rates to begin with, where both networks learn in one step. */
export const learningRates = ({ training: { optimizer } }: CommonRecipe) => ({
  generator: optimizer.generator_lr,
  discriminator: optimizer.discriminator_lr,
});

/** As many steps as the recipe says, or as its epochs take. */
export const stepsOf =
  ({ training }: CommonRecipe) =>
  (stepsPerEpoch: number): number =>
    training.steps ?? (training.epochs ?? 0) * stepsPerEpoch;

/**
 * Batches of images, with labels where the networks take classes, and noise for each step.
 * @param perStep how many images a step takes
 * @param noise the step's noise, from a stream of its own, so that a resumed run draws the same
 * @param classes how many classes the labels are of; undefined for no labels
 */
export function imagesAndNoise(
  recipe: CommonRecipe,
  dataset: Dataset,
  perStep: number,
  noise: (random: RandomStream) => Readonly<Record<string, TensorData>>,
  classes = recipe.model.classes,
): PhaseData {
  const { seed } = recipe.training;
  if (classes !== undefined) checkClasses(dataset, classes);
  const { stepsPerEpoch, indices } = batches(seed, dataset.count, perStep);
  const { height, width, channels } = dataset;
  return {
    stepsPerEpoch,
    feeds(k): State {
      const chosen = indices(k);
      const images = pixels([perStep, height, width, channels], gatherBatch(dataset, chosen));
      const drawn = Object.entries(noise(stream(seed, 'noise', k)));
      return {
        'batch/images': images,
        ...(classes && { 'batch/labels': oneHot(gatherLabels(dataset, chosen), classes) }),
        ...Object.fromEntries(drawn.map(([name, tensor]) => [`noise/${name}`, tensor])),
      };
    },
  };
}

function checkClasses({ name, classes }: Dataset, wanted: number): void {
  if (classes?.length === wanted) return;
  throw new UserError(
    classes
      ? `${name} has ${classes.length} classes, where the recipe wants ${wanted}.`
      : `${name} has no labels, which the recipe needs: put the images into a folder for each class.`,
  );
}

/** Latents of the recipe's distribution, [rows, size]. */
export const drawLatents = (
  { model }: CommonRecipe,
  random: RandomStream,
  rows: number,
): TensorData => {
  const { size, distribution } = model.latent;
  return floats([rows, size], random[distribution](rows * size));
};

const sum = (flops: readonly number[]): number => flops.reduce((a, b) => a + b, 0);

/**
 * Floating-point operations, for one image: of a pass `forward`; of the backward pass for the
 * `weights`; and of that for the `inputs` of all layers but the first. Backward for weights, and
 * for inputs, costs as much as forward.
 */
export function passes(pair: Pair, role: keyof Pair) {
  const { flops } = pair[role];
  const all = sum(flops);
  return { forward: all, weights: all, inputs: all - (flops[0] ?? 0) };
}

/**
 * Floating-point operations of a GAN's two updates, for one image. The discriminator's: the generator
 * forward (shared with the generator's update on the same noise), the discriminator forward and
 * backward on a real and a generated one. The generator's: back through both networks to its weights.
 */
export function updateFlops(pair: Pair) {
  const [g, d] = [passes(pair, 'generator'), passes(pair, 'discriminator')];
  return {
    discriminator: g.forward + 2 * (d.forward + d.weights + d.inputs),
    generator: 2 * d.forward + g.weights + g.inputs,
  };
}
