import { spec } from '@gpn/export';
import { type Pair, prefixed } from '@gpn/models';
import type { RandomStream, TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import type { Recipe } from '../recipe.js';
import { heads, type InfoganInputs, infoganStep } from '../steps/infogan.js';
import {
  imagesAndNoise,
  latents,
  lossOf,
  optimizerOf,
  passes,
  stepsOf,
  updateFlops,
} from './common.js';
import {
  asInputs,
  floats,
  type Method,
  oneHot,
  type Phase,
  rateInputs,
  trainee,
} from './method.js';

/** InfoGAN: a category and codes that can be read from the generated images (Chen et al. 2016). */
export function infogan(recipe: Recipe, pair: Pair): Method {
  const { model, training, data } = recipe;
  const information = training.information as NonNullable<typeof training.information>;
  const { categories = 0, codes = 0 } = model;
  const { batch_size: batchSize } = training;
  const optimizer = optimizerOf(recipe);
  const loss = lossOf(recipe);
  const both = {
    ...prefixed('generator', pair.generator.params),
    ...prefixed('discriminator', pair.discriminator.params),
  };
  const state = {
    generator: trainee(pair.generator, optimizer),
    discriminator: trainee(pair.discriminator, optimizer),
    information: { optimizer: optimizer.state(both) },
  };
  const sizes = { categories, codes, codeVariance: model.code_variance ?? false };
  const step = infoganStep({
    ...pair,
    ...sizes,
    loss,
    optimizer,
    batchSize,
    range: data.range,
    labelSmoothing: training.label_smoothing ?? 0,
    codeWeight: information.code_weight,
    thickness: information.thickness,
  });
  const rows = 2 * batchSize;
  const rates = {
    generator: training.optimizer.generator_lr,
    discriminator: training.optimizer.discriminator_lr,
    information: information.learning_rate,
  };
  const phase: Phase = {
    name: 'infogan',
    step: (inputs) => step(inputs as unknown as InfoganInputs),
    inputs: {
      state: asInputs(state),
      batch: {
        images: spec([batchSize, ...pair.discriminator.inputShape], 'uint8'),
        ...(information.supervised && { labels: spec([batchSize, categories]) }),
      },
      noise: {
        latents: spec([rows, model.latent.size]),
        categories: spec([rows, categories]),
        codes: spec([rows, codes]),
      },
      rates: rateInputs(rates),
    },
    rates,
    flops: stepFlops(pair, recipe),
    steps: stepsOf(recipe),
    data: (dataset) =>
      imagesAndNoise(
        recipe,
        dataset,
        batchSize,
        (random) => ({
          latents: latents(recipe, random, rows),
          categories: anyCategories(random, rows, categories),
          codes: floats([rows, codes], random.uniform(rows * codes)),
        }),
        information.supervised ? categories : undefined,
      ),
  };
  return {
    state,
    phases: [phase],
    scores: loss.scores,
    judge(_, y) {
      const { logit, category, code } = heads(y, sizes);
      return { scores: logit, categories: tf.softmax(category), codes: code };
    },
  };
}

const anyCategories = (random: RandomStream, rows: number, categories: number): TensorData =>
  oneHot(random.below(rows, categories), categories);

/** As the adversarial step, and the information step: both networks forward and backward again. */
function stepFlops(pair: Pair, { training }: Recipe): number {
  const [g, d] = [passes(pair, 'generator'), passes(pair, 'discriminator')];
  const update = updateFlops(pair);
  const read = g.forward + g.weights + g.inputs + d.forward * 2 + d.weights;
  const named = training.information?.supervised ? d.forward + d.weights + d.inputs : 0;
  return training.batch_size * (update.discriminator + update.generator + read + named);
}
