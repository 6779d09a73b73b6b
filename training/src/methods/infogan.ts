import { spec } from '@gpn/export';
import type { Pair } from '@gpn/models';
import { stream, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { bend, drawAffine } from '../data/bend.js';
import type { Dataset } from '../data/types.js';
import type { Recipe } from '../recipe/schema.js';
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
  type PhaseData,
  pixels,
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
    consistency: information.consistency ?? 0,
    diversity: information.diversity ?? 0,
    thickness: information.thickness,
  });
  // For diversity, each category and its codes make two images, which their latents set apart.
  const drawn = information.diversity ? batchSize / 2 : batchSize;
  const rates = {
    generator: training.optimizer.generator_lr,
    discriminator: training.optimizer.discriminator_lr,
  };
  const images = spec([batchSize, ...pair.discriminator.inputShape], 'uint8');
  const update = updateFlops(pair);
  const judged = passes(pair, 'discriminator');
  const bent = information.consistency ? judged.forward + judged.weights + judged.inputs : 0;
  const phase: Phase = {
    name: 'infogan',
    step: (inputs) => step(inputs as unknown as InfoganInputs),
    inputs: {
      state: asInputs(state),
      batch: {
        images,
        ...(information.consistency && { bent: images }),
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
    flops: batchSize * (update.discriminator + update.generator + bent),
    steps: stepsOf(recipe),
    data(dataset) {
      const plain = imagesAndNoise(
        recipe,
        dataset,
        batchSize,
        (random) => ({
          latents: latents(recipe, random, batchSize),
          categories: oneHot(repeated(random.below(drawn, categories), batchSize), categories),
          codes: floats(
            [batchSize, codes],
            repeated(random.uniform(drawn * codes), batchSize * codes),
          ),
        }),
        information.supervised ? categories : undefined,
      );
      return information.consistency ? withBent(plain, dataset, training.seed) : plain;
    },
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

/** The same values over and over, up to a length. */
const repeated = (values: ArrayLike<number>, length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => values[i % values.length] as number);

/** With bent copies of the images. */
const withBent = (data: PhaseData, size: Dataset, seed: number): PhaseData => ({
  ...data,
  feeds(k) {
    const feeds = data.feeds(k);
    const { shape, data: images } = feeds['batch/images'] as TensorData;
    const random = stream(seed, 'bend', k);
    const affines = Array.from({ length: shape[0] as number }, () => drawAffine(random, size));
    return { ...feeds, 'batch/bent': pixels(shape, bend(images as Uint8Array, size, affines)) };
  },
});
