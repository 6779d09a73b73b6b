import { spec } from '@gpn/export';
import type { Pair } from '@gpn/models';
import type { Recipe } from '../recipe/schema.js';
import { type BeganInputs, beganStep, energy } from '../steps/began.js';
import { imagesAndNoise, latents, optimizerOf, stepsOf, updateFlops } from './common.js';
import { asInputs, type Method, type Phase, rateInputs, trainee } from './method.js';

/** BEGAN: an autoencoder judges, by how well it gives images back (Berthelot et al. 2017). */
export function began(recipe: Recipe, pair: Pair): Method {
  const { model, training, data } = recipe;
  const equilibrium = training.equilibrium as NonNullable<typeof training.equilibrium>;
  const { batch_size: batchSize } = training;
  const optimizer = optimizerOf(recipe);
  const state = {
    generator: trainee(pair.generator, optimizer),
    discriminator: trainee(pair.discriminator, optimizer),
    balance: { shape: [], start: { kind: 'zeros' } as const },
  };
  const step = beganStep({ ...pair, ...equilibrium, optimizer, range: data.range });
  const update = updateFlops(pair);
  const rates = {
    generator: training.optimizer.generator_lr,
    discriminator: training.optimizer.discriminator_lr,
  };
  const phase: Phase = {
    name: 'began',
    step: (inputs) => step(inputs as unknown as BeganInputs),
    inputs: {
      state: asInputs(state),
      batch: { images: spec([batchSize, ...pair.discriminator.inputShape], 'uint8') },
      noise: { latents: spec([batchSize, model.latent.size]) },
      rates: rateInputs(rates),
    },
    rates,
    flops: batchSize * (update.discriminator + update.generator),
    steps: stepsOf(recipe),
    data: (dataset) =>
      imagesAndNoise(recipe, dataset, batchSize, (random) => ({
        latents: latents(recipe, random, batchSize),
      })),
  };
  return {
    state,
    phases: [phase],
    scores: 'energy',
    judge: (images, y) => ({ scores: energy(images, y) }),
  };
}
