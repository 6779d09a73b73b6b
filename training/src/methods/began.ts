import * as z from 'zod';
import { weight } from '../recipe/keys/values.js';
import { beganInputs, beganState, beganStep, energy } from '../steps/began.js';
import { defineMethod, type Phase } from './method.js';
import {
  imagesAndNoise,
  latentsFor,
  learningRates,
  optimizerOf,
  stepsOf,
  updateFlops,
} from './shared.js';

const equilibrium = z.strictObject({
  lambda: z.number().gt(0).max(1).describe('Step size of the balance (λ of the paper).'),
  gamma: z
    .number()
    .gt(0)
    .max(1)
    .describe('Ratio of the energies of generated and real images to aim at (γ of the paper).'),
  diversity: weight
    .optional()
    .describe(
      'Weight, in the generator’s loss, of the likeness of images whose latents differ; 0 unless given.',
    ),
});

/** BEGAN: the discriminator is an autoencoder, scored by its error (Berthelot et al. 2017). */
export const began = defineMethod({
  keys: {
    training: { equilibrium: equilibrium.describe('The balance of the two networks of BEGAN.') },
    model: {},
  },
  outputShape: ({ data: { height, width, channels } }) => [height, width, channels],
  make(recipe, pair) {
    const { training, data } = recipe;
    const { batch_size: batchSize } = training;
    const optimizer = optimizerOf(recipe);
    const settings = { ...pair, ...training.equilibrium, optimizer, batchSize, range: data.range };
    const update = updateFlops(pair);
    const phase: Phase = {
      name: 'began',
      step: beganStep(settings),
      inputs: beganInputs(settings),
      rates: learningRates(recipe),
      flops: batchSize * (update.discriminator + update.generator),
      steps: stepsOf(recipe),
      ...imagesAndNoise(recipe, batchSize, { latents: latentsFor(recipe, batchSize) }),
    };
    return {
      state: beganState(settings),
      phases: [phase],
      scores: 'energy',
      outputs: (images, y) => ({ scores: energy(images, y) }),
    };
  },
});
