import { type Network, overPatches, type Pair, patchStride } from '@gpn/models';
import { type Draw, uniform } from '../data/feeds/feeds.js';
import type { DeceptionPlan, FragmentPlan } from '../data/feeds/fragments.js';
import { feedsBy, stepsOfTurn } from '../data/feeds/plans.js';
import { sideOf } from '../data/fragments/corners.js';
import { type FragmentOptions, kindsOf } from '../data/fragments/fragments.js';
import type { PatchOptions, PatchSettings } from '../data/fragments/patches.js';
import type { Dataset } from '../data/types.js';
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
import { keys } from './predictive-keys.js';
import { latentsFor, optimizerOf, passes, stepsOf } from './shared.js';

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
  const patches = shown && patchesOf(pair.discriminator, shown, recipe.model.fragment.frame);
  const judging = patches?.network ?? pair.discriminator;
  const discriminator = noise ? disturbed(judging, noise) : judging;
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

/** A discriminator of fragments over patches, and which of their fragments it judges; the recipe's check has tried it. */
function patchesOf(
  discriminator: Network,
  patches: PatchOptions,
  frame: number,
): { network: Network; settings: PatchSettings } {
  const network = overPatches(discriminator, patches.internal + 2 * frame) as Network;
  const [across] = network.outputShape as [number];
  return {
    network,
    settings: { ...patches, stride: patchStride(discriminator) as number, across },
  };
}

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
