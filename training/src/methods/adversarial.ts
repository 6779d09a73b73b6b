import type { Pair } from '@gpn/models';
import * as z from 'zod';
import { uniform } from '../data/feeds/feeds.js';
import { ratio, weight, whole } from '../recipe/keys/values.js';
import {
  adversarialStep,
  type GanSettings,
  ganInputs,
  imagesOf,
  latentsOf,
  mixtureOf,
  seenOf,
} from '../steps/adversarial.js';
import { AUGMENTATION_DRAWS, AUGMENTATIONS } from '../steps/augment.js';
import { ganState } from '../steps/state.js';
import { defineMethod, type Phase } from './method.js';
import {
  imagesAndNoise,
  inputNoiseKey,
  latentsFor,
  learningRates,
  lossKeys,
  lossOf,
  optimizerOf,
  passes,
  stepsOf,
  updateFlops,
} from './shared.js';

const keys = {
  ...lossKeys,
  discriminator_steps: ratio
    .optional()
    .describe('How often the discriminator learns in a step; 1 unless given.'),
  generator_steps: ratio
    .optional()
    .describe('How often the generator learns in a step; 1 unless given.'),
  gradient_penalty: weight
    .optional()
    .describe('Weight of the gradient penalty (λ of WGAN-GP); without it there is none.'),
  r1: weight
    .optional()
    .describe(
      'Weight γ of the penalty γ/2 · ‖∇D‖² on the scores of real images (R1), which keeps the discriminator’s slopes small; without it there is none.',
    ),
  r2: weight
    .optional()
    .describe('Weight γ of the same penalty on generated images (R2); without it there is none.'),
  augmentation: z
    .array(z.enum(AUGMENTATIONS))
    .min(1)
    .max(AUGMENTATIONS.length)
    .refine((list) => new Set(list).size === list.length, { error: 'a list of different names' })
    .optional()
    .describe(
      'Random changes through which the discriminator sees real and generated images alike (Zhao et al. 2020), for few images: `color` (brightness, saturation, contrast), `translation` (by up to an eighth), `cutout` (a square of half the side); none unless given.',
    ),
  packing: whole
    .min(1)
    .max(16)
    .optional()
    .describe(
      'How many images the discriminator scores together, joined in their channels (PacGAN, Lin et al. 2018): images that are all alike then give the generator away; 1 unless given. The batch size must be a multiple of it.',
    ),
  unrolled_steps: whole
    .min(1)
    .max(10)
    .optional()
    .describe(
      'How many more updates of the discriminator the generator foresees (unrolled GANs, Metz et al. 2017), so that it does not run after the discriminator’s last change; without it none. Each costs about as much as three updates.',
    ),
  ...inputNoiseKey,
  weight_clip: z
    .number()
    .gt(0)
    .max(10)
    .optional()
    .describe('Largest magnitude of the discriminator’s weights (WGAN); without it, any.'),
};

/** The classic GAN with any of the loss pairs. */
export const adversarial = defineMethod({
  keys: { training: keys, model: {} },
  outputShape: () => [1],
  inputShape({ data: { height, width, channels }, training: { packing = 1 } }) {
    return [height, width, packing * channels];
  },
  make(recipe, pair) {
    const { training, data } = recipe;
    const optimizer = optimizerOf(recipe);
    const loss = lossOf(recipe);
    const settings: GanSettings = {
      ...pair,
      loss,
      optimizer,
      batchSize: training.batch_size,
      range: data.range,
      labelSmoothing: training.label_smoothing ?? 0,
      discriminatorSteps: training.discriminator_steps ?? 1,
      generatorSteps: training.generator_steps ?? 1,
      gradientPenalty: training.gradient_penalty ?? 0,
      slopePenalties: { r1: training.r1 !== undefined, r2: training.r2 !== undefined },
      ...(training.augmentation && { augmentation: training.augmentation }),
      inputNoise: training.input_noise !== undefined,
      packing: training.packing ?? 1,
      unrolledSteps: training.unrolled_steps ?? 0,
      ...(training.weight_clip && { weightClip: training.weight_clip }),
    };
    const rows = imagesOf(settings);
    const phase: Phase = {
      name: 'adversarial',
      step: adversarialStep(settings),
      inputs: ganInputs(settings),
      rates: learningRates(recipe),
      flops: stepFlops(pair, settings),
      steps: stepsOf(recipe),
      ...imagesAndNoise(recipe, rows, {
        latents: latentsFor(recipe, latentsOf(settings)),
        ...(settings.gradientPenalty && { mixture: uniform(mixtureOf(settings)) }),
        ...(settings.augmentation && {
          augmentation: uniform([seenOf(settings), AUGMENTATION_DRAWS]),
        }),
        ...(settings.inputNoise && {
          input: { kind: 'normal', shape: [seenOf(settings), ...pair.generator.outputShape] },
        }),
      }),
    };
    return {
      state: ganState(pair, optimizer),
      phases: [phase],
      scores: loss.scores,
      outputs: (_, y) => ({ scores: y }),
    };
  },
});

/**
 * Floating-point operations of a step. A gradient penalty needs a forward pass, a backward pass to
 * the pixels, and a backward pass through both. R1 and R2 share the forward pass and the backward pass
 * through it with the loss. A loss that compares needs the scores of real images once more.
 */
function stepFlops(pair: Pair, settings: GanSettings): number {
  const { batchSize, discriminatorSteps, generatorSteps, gradientPenalty, loss } = settings;
  const { r1, r2 } = settings.slopePenalties;
  const [g, d] = [passes(pair, 'generator'), passes(pair, 'discriminator', settings.packing)];
  const update = updateFlops(pair, settings.packing);
  const penalty = gradientPenalty ? 4 * d.forward + d.inputs + d.weights : 0;
  const slopes = (Number(r1) + Number(r2)) * (2 * d.forward + d.weights);
  const compared = loss.relative ? d.forward : 0;
  const unshared = (generatorSteps - 1) * g.forward;
  // The way back through an update costs twice what it does; real images and generated ones.
  const foreseen = 3 * 2 * (settings.unrolledSteps ?? 0) * (d.forward + d.inputs + d.weights);
  return (
    batchSize *
    (discriminatorSteps * (update.discriminator + penalty + slopes) +
      generatorSteps * (update.generator + compared + foreseen) +
      unshared)
  );
}
