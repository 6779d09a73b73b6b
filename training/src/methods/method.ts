/** What a way of training a pair of networks is to the loop and to the export. */
import { flatten, mapLeaves, spec, type Tensors } from '@gpn/export';
import {
  type Initialization,
  initialize,
  type Network,
  type Pair,
  type TensorSpec,
} from '@gpn/models';
import type { QualityInfo, RandomStream, ScoreMeaning, TensorData } from '@gpn/runtime';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Dataset, Images } from '../data/types.js';
import type { State, StepInputs, StepOutputs } from '../engine/types.js';
import type { Optimizer } from '../gan/optimizers.js';
import type { Recipe } from '../recipe/schema.js';

/** A part of a training with a step of its own. Most methods have one. */
export interface Phase {
  readonly name: string;
  /** Shapes and types of all that the step takes; `rates` are its learning rates. */
  readonly inputs: StepInputs;
  readonly step: (inputs: Tensors<StepInputs>) => StepOutputs;
  /** Learning rates to begin with. A schedule lowers each by the metric of the same name. */
  readonly rates: Readonly<Record<string, number>>;
  /** Floating-point operations of a step, counted from the networks' tables. */
  readonly flops: number;
  /** How many steps it takes, given how many show every image once. */
  steps(stepsPerEpoch: number): number;
  /** @throws UserError where the data set does not do for it */
  data(dataset: Dataset): PhaseData;
  /** How well it has done, once it is over, on images that it has not seen. */
  measure?(state: State, heldOut: Images): Promise<QualityInfo[]>;
}

export interface PhaseData {
  readonly stepsPerEpoch: number;
  /** What step k of the phase, from 0, is fed, but for state and rates: a function of k alone. */
  feeds(k: number): State;
}

/** Nested records whose leaves say shape and start of a tensor. */
export type StateSpecs = { readonly [key: string]: TensorSpec | StateSpecs };

export interface Method {
  /** All that is learnt or remembered, of all phases. */
  readonly state: StateSpecs;
  readonly phases: readonly Phase[];
  readonly scores: ScoreMeaning;
  /** What the pixels 0 and 255 are to the networks, where it is not the recipe's to choose. */
  readonly range?: readonly [number, number];
  /** The discriminator is exported in its dense form, which slides over images of any size. */
  readonly slides?: boolean;
  /**
   * What the exported discriminator gives for images, by the names of its outputs; `scores` first.
   * @param y what the network gives for them
   */
  judge(images: Tensor, y: Tensor): Readonly<Record<string, Tensor>>;
}

export type MethodMaker = (recipe: Recipe, pair: Pair) => Method;

const isStarting = (x: unknown): x is TensorSpec =>
  typeof x === 'object' && x !== null && 'start' in x;

/** A state as inputs of a step. */
export const asInputs = <S extends StateSpecs>(state: S) =>
  mapLeaves(state, isStarting, ({ shape }) => spec(shape), 'state') as Inputs<S>;
type Inputs<S> = {
  readonly [K in keyof S]: S[K] extends TensorSpec ? ReturnType<typeof spec> : Inputs<S[K]>;
};

/** Learning rates as inputs of a step: a scalar for each. */
export const rateInputs = <R extends Readonly<Record<string, number>>>(rates: R) =>
  Object.fromEntries(Object.keys(rates).map((name) => [name, spec([])]));

/** The state that a training starts from: networks as drawn from `random`, optimisers at zero. */
export function startingState(
  state: StateSpecs,
  scheme: Initialization,
  random: RandomStream,
): State {
  const leaves = flatten(state, isStarting, 'state').map(({ name, leaf }) => [name, leaf]);
  const drawn = initialize(Object.fromEntries(leaves), scheme, (count) => random.normal(count));
  return Object.fromEntries(
    Object.entries(drawn).map(([name, weights]) => [name, { dtype: 'float32', ...weights }]),
  );
}

/** The state of a network in training, as the steps' `Trainee`. */
export const trainee = (network: Network, optimizer: Optimizer) => ({
  params: network.params,
  buffers: network.buffers,
  optimizer: optimizer.state(network.params),
});

export const floats = (shape: readonly number[], data: Float32Array): TensorData => ({
  dtype: 'float32',
  shape,
  data,
});

export const pixels = (shape: readonly number[], data: Uint8Array): TensorData => ({
  dtype: 'uint8',
  shape,
  data,
});

/** Classes by number as rows of zeros with a one. */
export function oneHot(labels: ArrayLike<number>, classes: number): TensorData {
  const data = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) data[i * classes + (labels[i] as number)] = 1;
  return floats([labels.length, classes], data);
}
