import { spec } from '@gpn/export';
import type { Network, Pair } from '@gpn/models';
import { type RandomStream, stream, type TensorData } from '@gpn/runtime';
import { batches } from '../data/batches.js';
import {
  drawCorners,
  type FragmentOptions,
  type FragmentSize,
  fragmentBatch,
  fragmentIndices,
  kindsOf,
  sideOf,
  viewCount,
} from '../data/fragments.js';
import type { Dataset } from '../data/types.js';
import type { Optimizer } from '../gan/optimizers.js';
import type { Recipe } from '../recipe/schema.js';
import {
  DECEPTION_LOSSES,
  type DeceptionInputs,
  deceptionStep,
  type FragmentInputs,
  fragmentStep,
  logOdds,
} from '../steps/predictive.js';
import { latents, optimizerOf, passes, stepsOf } from './common.js';
import { fragmentAccuracy } from './fragment-accuracy.js';
import { asInputs, floats, type Method, type Phase, type PhaseData, trainee } from './method.js';

/**
 * Generative Predictive Networks: the discriminator learns alone to tell real fragments of images
 * from altered ones; then, frozen, it trains the generator. In further rounds the generator's
 * fragments are negatives too. Steps and epochs are those of each network, over all rounds.
 */
export function predictive(recipe: Recipe, pair: Pair): Method {
  const optimizer = optimizerOf(recipe);
  const { rounds } = settingsOf(recipe);
  const first = learning(recipe, pair, optimizer, false);
  const later = learning(recipe, pair, optimizer, true);
  const deceive = deceiving(recipe, pair, optimizer);
  const phases = Array.from({ length: rounds }, (_, round) => [
    inRound(round === 0 ? first : later, round, rounds),
    inRound(deceive, round, rounds),
  ]);
  return {
    state: {
      generator: trainee(pair.generator, optimizer),
      discriminator: trainee(pair.discriminator, optimizer),
    },
    phases: phases.flat(),
    scores: 'logit',
    judge: (_, y) => ({ scores: logOdds(y) }),
    range: [0, 255 / 256],
    slides: true,
  };
}

const settingsOf = ({ training }: Recipe) =>
  training.predictive as NonNullable<typeof training.predictive>;
const sizeOf = ({ model }: Recipe) => model.fragment as FragmentSize;

/**
 * What a round takes of a phase that all rounds share: its steps go on from one to the next. It
 * is measured in the first and the last, as that takes as long as many a round.
 */
function inRound({ measure, ...phase }: Phase, round: number, rounds: number): Phase {
  const until = (all: number, round: number) => Math.floor((all * round) / rounds);
  const measured = measure && (round === 0 || round === rounds - 1);
  return {
    ...phase,
    ...(measured && { measure }),
    steps: (perEpoch) =>
      until(phase.steps(perEpoch), round + 1) - until(phase.steps(perEpoch), round),
    data(dataset) {
      const { stepsPerEpoch, feeds } = phase.data(dataset);
      const from = until(phase.steps(stepsPerEpoch), round);
      return { stepsPerEpoch, feeds: (k) => feeds(from + k) };
    },
  };
}

/** The discriminator's phase; as a rival, with fragments of the generator as it is by then. */
function learning(recipe: Recipe, pair: Pair, optimizer: Optimizer, rivalry: boolean): Phase {
  const { batch_size: count, seed, optimizer: rates } = recipe.training;
  const { negatives, inverse, fragments_per_image: perImage } = settingsOf(recipe);
  const { generator, discriminator } = pair;
  const size = sizeOf(recipe);
  const [side, channels] = [sideOf(size), recipe.data.channels];
  const options: FragmentOptions = { ...size, negatives, inverse };
  const kinds = kindsOf(options).length;
  const cut = Math.ceil(count / kinds);
  // As many as of every other kind.
  const generated = rivalry && negatives.generated ? cut : 0;
  const rows = count + generated;
  const dropout = Object.entries(discriminator.noise).map(
    ([name, s]) => [name, [rows, ...s]] as const,
  );
  const step = fragmentStep({
    ...{ discriminator, optimizer, size },
    ...(generated && { rival: generator }),
  });
  const [g, d] = [passes(pair, 'generator'), passes(pair, 'discriminator')];
  const feeds = (dataset: Dataset, views: Uint32Array, k: number) => {
    const random = stream(seed, 'fragments', k);
    const made = fragmentBatch(dataset, views, count, options, random);
    const all = (values: Float32Array, more: number) => {
      const whole = new Float32Array(rows).fill(more);
      whole.set(values);
      return floats([rows], whole);
    };
    return {
      'batch/fragments': floats([count, side, side, channels], made.fragments),
      'batch/labels': all(made.labels, 0),
      'batch/weights': all(made.weights, negatives.generated ?? 0),
      ...Object.fromEntries(
        dropout.map(([name, shape]) => [`noise/dropout/${name}`, chances(shape, random)]),
      ),
      ...(generated && {
        'batch/places': placesOf(dataset, generated, size, random),
        'noise/latents': latents(recipe, random, generated),
      }),
    };
  };
  return {
    name: 'discriminator',
    step: (inputs) => step(inputs as unknown as FragmentInputs),
    inputs: {
      state: asInputs({
        discriminator: trainee(discriminator, optimizer),
        ...(generated && { generator: frozen(generator) }),
      }),
      batch: {
        fragments: spec([count, side, side, channels]),
        labels: spec([rows]),
        weights: spec([rows]),
        ...(generated && { places: spec([generated * side * side], 'int32') }),
      },
      noise: {
        dropout: Object.fromEntries(dropout.map(([name, shape]) => [name, spec(shape)])),
        ...(generated && { latents: spec([generated, recipe.model.latent.size]) }),
      },
      rates: { discriminator: spec([]) },
    },
    rates: { discriminator: rates.discriminator_lr },
    flops: rows * (d.forward + d.weights + d.inputs) + generated * g.forward,
    steps: stepsOf(recipe),
    data: once((dataset: Dataset): PhaseData => {
      const order = batches(seed, viewCount(dataset, options), cut);
      return {
        stepsPerEpoch: order.stepsPerEpoch * perImage,
        feeds: (k) => feeds(dataset, order.indices(k), k),
      };
    }),
    measure: (state, heldOut) => fragmentAccuracy(discriminator, state, heldOut, options),
  };
}

/** The generator's phase, against a discriminator that does not move. */
function deceiving(recipe: Recipe, pair: Pair, optimizer: Optimizer): Phase {
  const { batch_size: count, seed, optimizer: rates } = recipe.training;
  const {
    generator_fragments: places,
    diversity,
    generator_loss,
    generator_batches,
  } = settingsOf(recipe);
  const { generator, discriminator } = pair;
  const size = sizeOf(recipe);
  const step = deceptionStep({
    ...{ generator, discriminator, optimizer, size },
    loss: DECEPTION_LOSSES[generator_loss],
    ...(diversity && { diversity }),
  });
  const [g, d] = [passes(pair, 'generator'), passes(pair, 'discriminator')];
  return {
    name: 'generator',
    step: (inputs) => step(inputs as unknown as DeceptionInputs),
    inputs: {
      state: asInputs({
        generator: trainee(generator, optimizer),
        discriminator: frozen(discriminator),
      }),
      batch: { places: spec([places * sideOf(size) ** 2], 'int32') },
      noise: { latents: spec([count, recipe.model.latent.size]) },
      rates: { generator: spec([]) },
    },
    rates: { generator: rates.generator_lr },
    flops: count * (g.forward + g.weights + g.inputs + places * (2 * d.forward)),
    steps: () => stepsOf(recipe)(generator_batches),
    data: (dataset) => ({
      stepsPerEpoch: Number.POSITIVE_INFINITY, // none of its steps shows an image
      feeds(k) {
        const random = stream(seed, 'deception', k);
        return {
          'batch/places': placesOf(dataset, places, size, random),
          'noise/latents': latents(recipe, random, count),
        };
      },
    }),
  };
}

const frozen = ({ params, buffers }: Network) => ({ params, buffers });

const placesOf = (
  dataset: Dataset,
  count: number,
  size: FragmentSize,
  random: RandomStream,
): TensorData => {
  const data = fragmentIndices(drawCorners(random, count, dataset, size.internal), dataset, size);
  return { dtype: 'int32', shape: [data.length], data };
};

/** Uniform numbers on (0, 1). */
const chances = (shape: readonly number[], random: RandomStream): TensorData =>
  floats(
    shape,
    random.uniform(
      shape.reduce((a, b) => a * b, 1),
      0,
      1,
    ),
  );

/** Rounds share their data, as an order of many images takes a while to draw. */
function once<A extends object, B>(f: (a: A) => B): (a: A) => B {
  const kept = new WeakMap<A, B>();
  return (a) => {
    const value = kept.get(a) ?? f(a);
    kept.set(a, value);
    return value;
  };
}
