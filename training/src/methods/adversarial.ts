import { spec } from '@gpn/export';
import type { Pair } from '@gpn/models';
import type { Recipe } from '../recipe/schema.js';
import { adversarialStep, type GanInputs } from '../steps/adversarial.js';
import {
  imagesAndNoise,
  latents,
  lossOf,
  optimizerOf,
  passes,
  stepsOf,
  updateFlops,
} from './common.js';
import { asInputs, floats, type Method, type Phase, rateInputs, trainee } from './method.js';

/** The classic GANs: two networks against one another, by any of the loss pairs. */
export function adversarial(recipe: Recipe, pair: Pair): Method {
  const { model, training, data } = recipe;
  const { batch_size: batchSize, discriminator_steps = 1, generator_steps = 1 } = training;
  const optimizer = optimizerOf(recipe);
  const loss = lossOf(recipe);
  const rows = discriminator_steps * batchSize;
  const latentRows = (discriminator_steps + generator_steps - 1) * batchSize;
  const penalty = training.gradient_penalty ?? 0;
  const state = {
    generator: trainee(pair.generator, optimizer),
    discriminator: trainee(pair.discriminator, optimizer),
  };
  const step = adversarialStep({
    ...pair,
    loss,
    optimizer,
    batchSize,
    range: data.range,
    labelSmoothing: training.label_smoothing ?? 0,
    discriminatorSteps: discriminator_steps,
    generatorSteps: generator_steps,
    gradientPenalty: penalty,
    ...(training.weight_clip && { weightClip: training.weight_clip }),
  });
  const rates = {
    generator: training.optimizer.generator_lr,
    discriminator: training.optimizer.discriminator_lr,
  };
  const phase: Phase = {
    name: 'adversarial',
    step: (inputs) => step(inputs as unknown as GanInputs),
    inputs: {
      state: asInputs(state),
      batch: {
        images: spec([rows, ...pair.discriminator.inputShape], 'uint8'),
        ...(model.classes && { labels: spec([rows, model.classes]) }),
      },
      noise: {
        latents: spec([latentRows, model.latent.size]),
        ...(penalty && { mixture: spec([rows, 1, 1, 1]) }),
      },
      rates: rateInputs(rates),
    },
    rates,
    flops: stepFlops(pair, recipe),
    steps: stepsOf(recipe),
    data: (dataset) =>
      imagesAndNoise(recipe, dataset, rows, (random) => ({
        latents: latents(recipe, random, latentRows),
        ...(penalty && { mixture: floats([rows, 1, 1, 1], random.uniform(rows, 0, 1)) }),
      })),
  };
  return { state, phases: [phase], scores: loss.scores, judge: (_, y) => ({ scores: y }) };
}

/** A gradient penalty is forward, back to the pixels, and backward through both again. */
function stepFlops(pair: Pair, { training }: Recipe): number {
  const { batch_size, discriminator_steps = 1, generator_steps = 1, gradient_penalty } = training;
  const [g, d] = [passes(pair, 'generator'), passes(pair, 'discriminator')];
  const update = updateFlops(pair);
  const penalty = gradient_penalty ? 4 * d.forward + d.inputs + d.weights : 0;
  const unshared = (generator_steps - 1) * g.forward;
  return (
    batch_size *
    (discriminator_steps * (update.discriminator + penalty) +
      generator_steps * update.generator +
      unshared)
  );
}
