import * as tf from '@tensorflow/tfjs-core';
import * as z from 'zod';
import { size, weight } from '../recipe/keys/values.js';
import { heads, type InfoganSettings, infoganInputs, infoganStep } from '../steps/infogan.js';
import { ganState } from '../steps/state.js';
import { defineMethod, type Phase } from './method.js';
import {
  imagesAndNoise,
  latentsFor,
  learningRates,
  lossKeys,
  lossOf,
  optimizerOf,
  passes,
  stepsOf,
  updateFlops,
} from './shared.js';

const information = z.strictObject({
  weight: z
    .number()
    .gt(0)
    .max(100)
    .describe('Weight of reading categories and codes, relative to the adversarial losses.'),
  code_weight: z
    .number()
    .min(0)
    .max(100)
    .describe('Weight of reading the codes, relative to reading the category.'),
  consistency: z
    .number()
    .gt(0)
    .max(100)
    .optional()
    .describe(
      'Weight of the mutual information between the categories of a real image and of its distorted copy; 0 unless given.',
    ),
  diversity: weight
    .optional()
    .describe(
      'Weight, in the generator’s loss, of the likeness of images that differ in their latents alone; 0 unless given. The batch size must be even.',
    ),
  supervised: z.boolean().describe('Whether category k is class k of the data’s labels.'),
  thickness: z.boolean().describe('Whether the first code is the thickness of the strokes.'),
});

/** InfoGAN: a category and codes that can be read from the generated images (Chen et al. 2016). */
export const infogan = defineMethod({
  keys: {
    training: {
      ...lossKeys,
      information: information.describe('What can be read from the images of an InfoGAN.'),
    },
    model: {
      categories: size.describe('Number of categories that InfoGAN’s generator draws from.'),
      codes: size.describe('Number of continuous codes that InfoGAN’s generator takes.'),
      code_variance: z
        .boolean()
        .optional()
        .describe('Whether the discriminator gives the variance of the codes beside their mean.'),
    },
  },
  outputShape: ({ model: { categories, codes, code_variance } }) => [
    1 + categories + codes * (code_variance ? 2 : 1),
  ],
  make(recipe, pair) {
    const { model, training, data } = recipe;
    const { categories, codes } = model;
    const { batch_size: batchSize, information } = training;
    const optimizer = optimizerOf(recipe);
    const loss = lossOf(recipe);
    const settings: InfoganSettings = {
      ...pair,
      loss,
      optimizer,
      batchSize,
      categories,
      codes,
      codeVariance: model.code_variance ?? false,
      range: data.range,
      labelSmoothing: training.label_smoothing ?? 0,
      weight: information.weight,
      codeWeight: information.code_weight,
      consistency: information.consistency ?? 0,
      diversity: information.diversity ?? 0,
      thickness: information.thickness,
      supervised: information.supervised,
    };
    const update = updateFlops(pair);
    const { forward, weights, inputs } = passes(pair, 'discriminator');
    const distorted = settings.consistency ? forward + weights + inputs : 0;
    const phase: Phase = {
      name: 'infogan',
      step: infoganStep(settings),
      inputs: infoganInputs(settings),
      rates: learningRates(recipe),
      flops: batchSize * (update.discriminator + update.generator + distorted),
      steps: stepsOf(recipe),
      ...imagesAndNoise(
        recipe,
        batchSize,
        { latents: latentsFor(recipe, batchSize), ...categoriesAndCodes(settings) },
        {
          ...(settings.supervised && { classes: categories }),
          distorted: settings.consistency > 0,
        },
      ),
    };
    return {
      state: ganState(pair, optimizer),
      phases: [phase],
      scores: loss.scores,
      outputs(_, y) {
        const { logit, category, code } = heads(y, settings);
        return { scores: logit, categories: tf.softmax(category), codes: code };
      },
    };
  },
});

/** Categories and codes. For diversity, each pair makes two images with different latents. */
function categoriesAndCodes({ batchSize, categories, codes, diversity }: InfoganSettings) {
  const repeated = { ...(diversity && { distinct: batchSize / 2 }) };
  return {
    categories: { kind: 'classes', shape: [batchSize, categories], ...repeated },
    codes: { kind: 'uniform', shape: [batchSize, codes], low: -1, high: 1, ...repeated },
  } as const;
}
