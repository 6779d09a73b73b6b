/** What the methods share: optimiser, losses, batches, and counts of operations. */
import type { Pair } from '@gpn/models';
import * as z from 'zod';
import type { Draw, FeedPlan } from '../data/feeds/feeds.js';
import { feedsBy } from '../data/feeds/plans.js';
import { LOSSES, type LossPair } from '../gan/losses.js';
import { OPTIMIZERS, type Optimizer } from '../gan/optimizers.js';
import type { CommonRecipe } from '../recipe/keys/common.js';
import { stepsFor } from '../recipe/keys/length.js';
import type { Phase } from './method.js';

/** The optimiser of a recipe. */
export const optimizerOf = ({ training: { optimizer, schedule } }: CommonRecipe): Optimizer => {
  const scheduled = schedule?.beta2 !== undefined;
  return OPTIMIZERS[optimizer.type](scheduled ? { ...optimizer, beta2: 'input' } : optimizer);
};

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

/** The key of methods that can add noise to what a discriminator sees. */
export const inputNoiseKey = {
  input_noise: z
    .number()
    .gt(0)
    .max(10)
    .optional()
    .describe(
      'Standard deviation of normal noise on what the discriminator sees, in units of the networks’ values (Sønderby et al. 2017): on real and generated images alike; with the method predictive on all fragments that it learns from. Without it there is none.',
    ),
};

/** The pair of losses of a recipe that names one. */
export const lossOf = ({ training }: { training: { loss: string } }): LossPair =>
  LOSSES[training.loss] as LossPair;

/** The initial learning rates of a method whose networks learn in one step. */
export const learningRates = ({ training: { optimizer } }: CommonRecipe) => ({
  generator: optimizer.generator_lr,
  discriminator: optimizer.discriminator_lr,
});

/** The number of steps: as the recipe gives it, or computed from its epochs. */
export const stepsOf =
  ({ training }: CommonRecipe) =>
  (stepsPerEpoch: number): number =>
    stepsFor(training, stepsPerEpoch);

/**
 * The data of a phase: batches of images, labels if the networks take classes, and noise.
 * @param images of a step
 * @param noise how the noise of a step is drawn. Each step has its own random stream, so a resumed run
 *   draws the same noise.
 * @param classes number of classes of the labels; undefined for no labels
 * @param distorted whether distorted copies of the images are fed, too
 */
export function imagesAndNoise(
  { data, model, training }: CommonRecipe,
  images: number,
  noise: Readonly<Record<string, Draw>>,
  { classes = model.classes, distorted = false }: Partial<FeedPlan> = {},
): Required<Pick<Phase, 'plan' | 'data'>> {
  const plan: FeedPlan = {
    seed: training.seed,
    images,
    flip: data.flip ?? false,
    ...(classes && { classes }),
    distorted,
    noise,
  };
  return {
    plan,
    data: (dataset) => feedsBy(plan, dataset),
  };
}

/** Latents of the recipe's distribution, [rows, size]. */
export const latentsFor = ({ model: { latent } }: CommonRecipe, rows: number): Draw => {
  const shape = [rows, latent.size];
  return latent.distribution === 'normal'
    ? { kind: 'normal', shape }
    : { kind: 'uniform', shape, low: -1, high: 1 };
};

const sum = (flops: readonly number[]): number => flops.reduce((a, b) => a + b, 0);

/**
 * Floating-point operations for one image: of the forward pass, of the backward pass to the `weights`,
 * and of the backward pass to the `inputs` of all layers except the first. Each backward pass costs as
 * much as the forward pass.
 * @param together images that are passed through the network as one
 */
export function passes(pair: Pair, role: keyof Pair, together = 1) {
  const flops = pair[role].flops.map((of) => of / together);
  const all = sum(flops);
  return { forward: all, weights: all, inputs: all - (flops[0] ?? 0) };
}

/**
 * Floating-point operations of a GAN's two updates, for one image. The discriminator's update: the
 * generator forward (shared with the generator's update on the same noise), and the discriminator
 * forward and backward on a real and a generated image. The generator's update: forward through the
 * discriminator, and backward through both networks to the generator's weights.
 * @param packing images that the discriminator scores together
 */
export function updateFlops(pair: Pair, packing = 1) {
  const [g, d] = [passes(pair, 'generator'), passes(pair, 'discriminator', packing)];
  return {
    discriminator: g.forward + 2 * (d.forward + d.weights + d.inputs),
    generator: 2 * d.forward + g.weights + g.inputs,
  };
}
