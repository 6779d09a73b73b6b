import { spec } from '@gpn/export';
import type { Pair } from '@gpn/models';
import type { RandomStream, TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import type { Recipe } from '../recipe.js';
import { heads, type InfoganInputs, infoganStep } from '../steps/infogan.js';
import { imagesAndNoise, latents, lossOf, optimizerOf, stepsOf, updateFlops } from './common.js';
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
  const state = {
    generator: trainee(pair.generator, optimizer),
    discriminator: trainee(pair.discriminator, optimizer),
  };
  const sizes = { categories, codes, codeVariance: model.code_variance ?? false };
  const step = infoganStep({
    ...pair,
    ...sizes,
    loss,
    optimizer,
    range: data.range,
    labelSmoothing: training.label_smoothing ?? 0,
    weight: information.weight,
    codeWeight: information.code_weight,
    thickness: information.thickness,
  });
  const rates = {
    generator: training.optimizer.generator_lr,
    discriminator: training.optimizer.discriminator_lr,
  };
  const update = updateFlops(pair);
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
        latents: spec([batchSize, model.latent.size]),
        categories: spec([batchSize, categories]),
        codes: spec([batchSize, codes]),
      },
      rates: rateInputs(rates),
    },
    rates,
    flops: batchSize * (update.discriminator + update.generator),
    steps: stepsOf(recipe),
    data: (dataset) =>
      imagesAndNoise(
        recipe,
        dataset,
        batchSize,
        (random) => ({
          latents: latents(recipe, random, batchSize),
          categories: anyCategories(random, batchSize, categories),
          codes: floats([batchSize, codes], random.uniform(batchSize * codes)),
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
