import { type Network, overPatches, type Pair } from '@gpn/models';
import * as z from 'zod';
import { type Draw, uniform } from '../data/feeds/feeds.js';
import type { DeceptionPlan, FragmentPlan } from '../data/feeds/fragments.js';
import { feedsBy, stepsOfTurn } from '../data/feeds/plans.js';
import type { Alteration } from '../data/fragments/alterations.js';
import { type FragmentOptions, kindsOf, sideOf } from '../data/fragments/fragments.js';
import type { PatchOptions, PatchSettings } from '../data/fragments/patches.js';
import type { Dataset } from '../data/types.js';
import { count, size, weight, whole } from '../recipe/keys/values.js';
import { mapRecord } from '../records.js';
import { DISTURBANCE, disturbed } from '../steps/disturbed.js';
import {
  DECEPTION_LOSSES,
  type DeceptionSettings,
  deceptionInputs,
  deceptionStep,
  type FragmentSettings,
  fragmentInputs,
  fragmentStep,
  logOdds,
} from '../steps/predictive.js';
import { ganState } from '../steps/state.js';
import { fragmentAccuracy } from './fragment-accuracy.js';
import { defineMethod, type Phase, type RecipeWith } from './method.js';
import { inputNoiseKey, latentsFor, optimizerOf, passes, stepsOf } from './shared.js';

const NO_NEGATIVE = { error: 'a list of one kind or more besides generated' };
const share = weight.optional();

const negatives = z
  .strictObject({
    noise: share.describe('Weight of fragments whose internal part is uniform noise.'),
    blur: share.describe('Weight of fragments whose internal part has noise of up to 0.2 added.'),
    mismatch: share.describe('Weight of fragments with the internal part of another image.'),
    gaussian: share.describe('Weight of fragments whose internal part is blurred.'),
    copy: share.describe('Weight of fragments with another part of the same image.'),
    resample: share.describe('Weight of fragments whose internal part is scaled about its middle.'),
    grain: share.describe('Weight of fragments with normal noise added.'),
    color: share.describe('Weight of fragments whose channels are stretched and shifted.'),
    jpeg: share.describe('Weight of fragments compressed as by JPEG of low quality.'),
    turn: share.describe('Weight of fragments whose internal part is turned by 30° to 330°.'),
    bend: share.describe('Weight of fragments whose internal part is bent.'),
    shuffle: share.describe('Weight of fragments with the quarters in another order.'),
    generated: share.describe(
      'Weight of fragments of the generator’s images, from the second round on.',
    ),
  } satisfies Record<Alteration | 'generated', z.ZodType>)
  .refine(({ generated: _, ...rest }) => Object.values(rest).some((w) => w), NO_NEGATIVE);

const settingsSchema = z.strictObject({
  negatives: negatives.describe(
    'The kinds of altered fragments, each with its weight relative to a real one’s 1.',
  ),
  region: z
    .strictObject({
      smallest: size.describe('Least length of its sides, in pixels.'),
      largest: size.describe('Greatest length of its sides, in pixels.'),
      smooth: z.number().min(0).max(1).describe('Share of ellipses with smooth edges.'),
      beside: share.describe(
        'Weight of fragments with a region that does not cover the internal part, which count as real.',
      ),
    })
    .refine(({ smallest, largest }) => smallest <= largest, {
      error: 'one whose smallest is at most its largest',
    })
    .optional()
    .describe(
      'Alter a rectangle or ellipse that covers the internal part, or lies in it, and may reach into the frame, instead of exactly the internal part. What changes nothing to be seen does not count.',
    ),
  patches: z
    .strictObject({
      internal: size.describe(
        'Side of the part of a patch in which the internal parts of its fragments lie, in pixels.',
      ),
      regions: whole
        .min(1)
        .max(64)
        .describe('Altered regions of a patch: from none to so many, each number as often.'),
      turned: z
        .boolean()
        .optional()
        .describe('Whether images are shown in any of their eight orientations.'),
    })
    .optional()
    .describe(
      'Learn from patches of images, in which the discriminator judges every fragment at once, as far apart as the strides of its network: they share their work. A batch is of so many patches; the weights of `negatives` say how often each is chosen. It needs `region`, and a detector.',
    ),
  r1: weight
    .optional()
    .describe(
      'Weight γ of the penalty γ/2 · ‖∇D‖² on the scores of real fragments (R1), which makes maps smoother; without it there is none.',
    ),
  detector: z
    .boolean()
    .optional()
    .describe(
      'Whether the discriminator is what is wanted: `gpn-cli train` then trains it alone, and calibrates it on the test images.',
    ),
  inverse: z.boolean().describe('Whether every image is shown as its inverse, too.'),
  fragments_per_image: count.describe(
    'Fragments, or patches, cut from each image in an epoch of the discriminator.',
  ),
  generator_fragments: whole
    .min(1)
    .max(4096)
    .describe('Fragments of each generated image that are judged.'),
  generator_batches: count.describe('Batches of an epoch of the generator.'),
  generator_loss: z
    .enum(Object.keys(DECEPTION_LOSSES) as (keyof typeof DECEPTION_LOSSES)[])
    .describe(
      '`sigmoid`: of the logit of “fake”; `modified`: −log of the probability of “real”, which does not fade if the discriminator is sure.',
    ),
  diversity: weight
    .optional()
    .describe(
      'Weight of the likeness of images whose latents differ, relative to a fragment’s loss; 0 unless given.',
    ),
  rounds: whole
    .min(1)
    .max(100_000)
    .describe('How often the two take turns; their steps are divided among the rounds.'),
});

const RISING = { error: 'a list that begins with 1 and rises' };
const scales = z
  .array(whole.min(1).max(64))
  .min(2)
  .max(16)
  .refine(
    (list) => list.every((scale, k) => (k === 0 ? scale === 1 : scale > (list[k - 1] as number))),
    RISING,
  );

const keys = {
  training: {
    predictive: settingsSchema.describe('How a Generative Predictive Network learns.'),
    ...inputNoiseKey,
  },
  model: {
    fragment: z
      .strictObject({
        internal: size.describe('Side of the part that may be altered, in pixels.'),
        frame: whole.min(0).max(256).describe('Width of the context around it, in pixels.'),
        stride: size
          .optional()
          .describe(
            'Pixels from one fragment to the next in the maps of the exported discriminator, 1 unless given: 1, 2, 4 or more, up to the product of the strides of its network. Twice the stride is a quarter of the work.',
          ),
        scales: scales
          .optional()
          .describe(
            'By how much pictures are reduced, by averages, before a detector’s fragments are cut from them: 1, and one or more larger ones. One network judges the fragments of all, and a map fuses them. 1 alone unless given.',
          ),
      })
      .describe('The fragments that the discriminator takes.'),
  },
};
type PredictiveRecipe = RecipeWith<typeof keys>;

/**
 * Generative Predictive Networks. The discriminator learns alone to distinguish real fragments of
 * images from altered ones; then, frozen, it trains the generator. In later rounds the generator's
 * fragments are negatives too. Steps and epochs are those of each network, over all rounds.
 */
export const predictive = defineMethod({
  keys,
  dropout: 'discriminator',
  outputShape: () => [1, 1, 2],
  inputShape({ data, model }) {
    const side = sideOf(model.fragment);
    return [side, side, data.channels];
  },
  make(recipe, pair) {
    const optimizer = optimizerOf(recipe);
    const { rounds } = recipe.training.predictive;
    const first = discriminatorPhase(recipe, pair, false);
    const later = discriminatorPhase(recipe, pair, true);
    const deceive = generatorPhase(recipe, pair);
    const phases = Array.from({ length: rounds }, (_, round) => [
      inRound(round === 0 ? first : later, round, rounds),
      inRound(deceive, round, rounds),
    ]);
    return {
      state: ganState(pair, optimizer),
      phases: phases.flat(),
      scores: 'logit',
      outputs: (_, y) => ({ scores: logOdds(y) }),
      range: [0, 255 / 256],
      slides: true,
    };
  },
});

/**
 * One round of a phase that all rounds share; its steps continue those of the round before. Only the
 * first and the last round are measured, because a measurement can take longer than a round.
 */
function inRound({ measure, ...phase }: Phase, round: number, rounds: number): Phase {
  const turn = { round, rounds };
  const measured = measure && (round === 0 || round === rounds - 1);
  return {
    ...phase,
    ...(measured && { measure }),
    turn,
    steps(perEpoch) {
      const { from, to } = stepsOfTurn(phase.steps(perEpoch), turn);
      return to - from;
    },
    data(dataset) {
      const { stepsPerEpoch, feeds } = phase.data(dataset);
      const { from } = stepsOfTurn(phase.steps(stepsPerEpoch), turn);
      return { stepsPerEpoch, feeds: (k) => feeds(from + k) };
    },
  };
}

/**
 * The discriminator's phase.
 * @param rivalry whether fragments of the current generator are negatives too
 */
function discriminatorPhase(recipe: PredictiveRecipe, pair: Pair, rivalry: boolean): Phase {
  const { batch_size, seed, optimizer: rates } = recipe.training;
  const {
    negatives,
    inverse,
    region,
    fragments_per_image: perImage,
    patches: shown,
    r1,
  } = recipe.training.predictive;
  const { input_noise: noise } = recipe.training;
  const { generator } = pair;
  const judging = noise ? disturbed(pair.discriminator, noise) : pair.discriminator;
  const patches = shown && patchesOf(judging, shown, recipe.model.fragment.frame);
  const discriminator = patches?.network ?? judging;
  const crops = recipe.data.crops !== undefined;
  const options: FragmentOptions = { ...recipe.model.fragment, negatives, inverse, region, crops };
  const perKind = shown ? batch_size : Math.ceil(batch_size / kindsOf(options).length);
  const settings: FragmentSettings = {
    discriminator,
    optimizer: optimizerOf(recipe),
    size: recipe.model.fragment,
    count: batch_size,
    r1,
    // as many as of each other kind
    rival: rivalry && negatives.generated ? { generator, generated: perKind } : undefined,
  };
  const generated = settings.rival?.generated ?? 0;
  const [g, d] = [passes(pair, 'generator'), passes({ ...pair, discriminator }, 'discriminator')];
  const plan: FragmentPlan = {
    kind: 'fragments',
    seed,
    images: perKind,
    ...{ count: batch_size, perImage, options, patches: patches?.settings },
    dropout: mapRecord(discriminator.noise, (shape, name): Draw => {
      const all = [batch_size + generated, ...shape];
      return name === DISTURBANCE ? { kind: 'normal', shape: all } : uniform(all);
    }),
    ...(settings.rival && {
      rival: {
        generated,
        weight: negatives.generated as number,
        latents: latentsFor(recipe, generated),
      },
    }),
  };
  const slopes = r1 ? 2 * d.forward + d.weights : 0;
  const flopsOfFragments = (batch_size + generated) * (d.forward + d.weights + d.inputs + slopes);
  return {
    name: 'discriminator',
    step: fragmentStep(settings),
    inputs: fragmentInputs(settings),
    rates: { discriminator: rates.discriminator_lr },
    flops: flopsOfFragments + generated * g.forward,
    steps: stepsOf(recipe),
    plan,
    data: memoized((dataset: Dataset) => feedsBy(plan, dataset)),
    measure: (state, heldOut) => fragmentAccuracy(pair.discriminator, state, heldOut, options),
  };
}

/** A discriminator of fragments over patches, and which of their fragments it judges. */
function patchesOf(
  discriminator: Network,
  patches: PatchOptions,
  frame: number,
): { network: Network; settings: PatchSettings } {
  const over = (side: number) => overPatches(discriminator, side) as Network; // see the recipe's check
  const network = over(patches.internal + 2 * frame);
  const [side] = discriminator.inputShape as [number];
  // Strides are powers of two, so that all of them divide this.
  const [more] = over(side + WIDER).outputShape as [number];
  const [across] = network.outputShape as [number];
  return { network, settings: { patches, stride: WIDER / (more - 1), across } };
}
const WIDER = 64;

/** The generator's phase, against the frozen discriminator. */
function generatorPhase(recipe: PredictiveRecipe, pair: Pair): Phase {
  const { batch_size: count, seed, optimizer: rates } = recipe.training;
  const { generator_fragments, generator_loss, generator_batches, diversity } =
    recipe.training.predictive;
  const settings: DeceptionSettings = {
    ...pair,
    optimizer: optimizerOf(recipe),
    size: recipe.model.fragment,
    loss: DECEPTION_LOSSES[generator_loss],
    count,
    fragments: generator_fragments,
    diversity,
  };
  const plan: DeceptionPlan = {
    kind: 'deception',
    seed,
    images: count,
    fragments: generator_fragments,
    size: recipe.model.fragment,
    latents: latentsFor(recipe, count),
  };
  const [g, d] = [passes(pair, 'generator'), passes(pair, 'discriminator')];
  return {
    name: 'generator',
    step: deceptionStep(settings),
    inputs: deceptionInputs(settings),
    rates: { generator: rates.generator_lr },
    flops: count * (g.forward + g.weights + g.inputs + generator_fragments * (2 * d.forward)),
    steps: () => stepsOf(recipe)(generator_batches),
    plan,
    epoch: generator_batches,
    data: (dataset) => feedsBy(plan, dataset),
  };
}

/** Remembers results, because the rounds share their data and drawing a long order is slow. */
function memoized<A extends object, B>(f: (a: A) => B): (a: A) => B {
  const kept = new WeakMap<A, B>();
  return (a) => {
    const value = kept.get(a) ?? f(a);
    kept.set(a, value);
    return value;
  };
}
