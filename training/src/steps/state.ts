/** The state of a training, declared once: its shapes, its initial values and its types in a step. */
import { flatten, mapLeaves, type TensorSpec as Shape, spec } from '@gpn/export/trace';
import {
  type Initialization,
  initialize,
  type Network,
  type Pair,
  type TensorSpec,
  type Tensors,
} from '@gpn/models';
import type { RandomStream } from '@gpn/runtime';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { State } from '../engine/types.js';
import type { Optimizer } from '../gan/optimizers.js';
import { mapRecord } from '../records.js';

/** Nested records whose leaves declare the shape and the initial value of a tensor. */
export type StateSpecs = { readonly [key: string]: TensorSpec | StateSpecs };

/** The state of a network in training: weights, buffers (running statistics), optimiser state. */
export const trainee = (network: Pick<Network, 'params' | 'buffers'>, optimizer: Optimizer) => ({
  params: network.params,
  buffers: network.buffers,
  optimizer: optimizer.state(network.params),
});

/** The state of a pair of networks that are trained together. */
export const ganState = ({ generator, discriminator }: Pair, optimizer: Optimizer) => ({
  generator: trainee(generator, optimizer),
  discriminator: trainee(discriminator, optimizer),
});

/** The state of a network that a step uses and does not change. */
export const frozen = ({ params, buffers }: Pick<Network, 'params' | 'buffers'>) => ({
  params,
  buffers,
});

const isStarting = (x: unknown): x is TensorSpec =>
  typeof x === 'object' && x !== null && 'start' in x;

/** The input specs of a state. */
export const asInputs = <S extends { readonly [key: string]: TensorSpec | object }>(state: S) =>
  mapLeaves(state, isStarting, ({ shape }) => spec(shape), 'state') as Inputs<S>;
type Inputs<S> = { readonly [K in keyof S]: S[K] extends TensorSpec ? Shape : Inputs<S[K]> };

/**
 * The input specs of the group `rates`, all scalars: a learning rate for each network that learns, and
 * β₂ if the optimiser takes it.
 */
export const rateInputs = <Name extends string>(
  { takesBeta2 }: Optimizer,
  ...names: readonly Name[]
): Record<Name, Shape> & { beta2?: Shape } => ({
  ...(Object.fromEntries(names.map((name) => [name, spec([])])) as Record<Name, Shape>),
  ...(takesBeta2 && { beta2: spec([]) }),
});

/**
 * Updates a network by its gradients, with the rates of its role.
 * @param squared as of {@link Optimizer.update}
 * @returns the next parameters, and the state of the optimiser
 */
export const learn = <Role extends string>(
  optimizer: Optimizer,
  { params, optimizer: state }: { readonly params: Tensors; readonly optimizer: Tensors },
  grads: Tensors,
  rates: Readonly<Record<Role, Tensor>> & { readonly beta2?: Tensor | undefined },
  role: Role,
  squared?: Tensors,
) => optimizer.update(params, grads, state, rates[role], rates.beta2, squared);

/** The input specs of a network's dropout: uniform numbers for `rows` examples, by layer. */
export const dropoutInputs = (
  { noise }: Pick<Network, 'noise'>,
  rows: number,
): Record<string, Shape> => mapRecord(noise, (shape) => spec([rows, ...shape]));

/** The tensors of a state by path, in the order in which they are drawn. */
export const startingSpecs = (state: StateSpecs): Record<string, TensorSpec> =>
  Object.fromEntries(flatten(state, isStarting, 'state').map(({ name, leaf }) => [name, leaf]));

/** The initial state of a training. Weights are drawn from `random`; optimisers start at zero. */
export function startingState(
  state: StateSpecs,
  scheme: Initialization,
  random: RandomStream,
): State {
  const drawn = initialize(startingSpecs(state), scheme, (count) => random.normal(count));
  return mapRecord(drawn, (weights) => ({ dtype: 'float32', ...weights }));
}
