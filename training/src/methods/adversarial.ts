import { spec } from '@gpn/export';
import type { Pair } from '@gpn/models';
import { LOSSES, type LossPair } from '../losses.js';
import type { Recipe } from '../recipe.js';
import { adversarialStep, type GanInputs } from '../steps/adversarial.js';
import { imagesAndNoise, latents, optimizerOf, passes, stepsOf } from './common.js';
import { asInputs, averageOf, floats, type Method, type Phase, trainee } from './method.js';

/** The classic GANs: two networks against one another, by any of the loss pairs. */
export function adversarial(recipe: Recipe, pair: Pair): Method {
  const { model, training, data } = recipe;
  const { batch_size: batchSize, discriminator_steps = 1, generator_steps = 1 } = training;
  const optimizer = optimizerOf(recipe);
  const loss = LOSSES[training.loss ?? 'modified'] as LossPair;
  const rows = discriminator_steps * batchSize;
  const latentRows = (discriminator_steps + generator_steps - 1) * batchSize;
  const penalty = training.gradient_penalty ?? 0;
  const keep = training.generator_average;
  const { generator } = pair;
  const state = {
    generator: {
      ...trainee(generator, optimizer),
      ...(keep && { average: averageOf('generator', generator.params) }),
    },
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
    ...(keep && { generatorAverage: keep }),
  });
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
      rates: { generator: spec([]), discriminator: spec([]) },
    },
    rates: {
      generator: training.optimizer.generator_lr,
      discriminator: training.optimizer.discriminator_lr,
    },
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

/**
 * Of a discriminator step: the generator forward (shared with the generator step on the same
 * noise), the discriminator forward and backward for its weights on two batches. Of a generator
 * step: forward through both, and back to the generator's weights. A gradient penalty is forward,
 * back to the pixels, and backward through both again.
 */
function stepFlops(pair: Pair, { training }: Recipe): number {
  const { batch_size, discriminator_steps = 1, generator_steps = 1, gradient_penalty } = training;
  const [g, d] = [passes(pair, 'generator'), passes(pair, 'discriminator')];
  const penalty = gradient_penalty ? 2 * (2 * d.forward) + d.inputs + d.weights : 0;
  const dStep = g.forward + 2 * (d.forward + d.weights + d.inputs) + penalty;
  const gStep = d.forward * 2 + g.weights + g.inputs;
  const shared = discriminator_steps * dStep + generator_steps * gStep;
  return batch_size * (shared + (generator_steps - 1) * g.forward);
}
