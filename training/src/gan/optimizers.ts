import type { Specs, Tensors } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';
import { mapRecord } from '../records.js';

/**
 * An optimiser as two pure functions. Its state is tensors by name, stored in checkpoints like any
 * other. The rates are inputs, so a schedule can change them without a new trace.
 */
export interface Optimizer {
  /** Whether β₂ is an input of each update. */
  readonly takesBeta2: boolean;
  /** The specs of its state for these parameters. */
  state(params: Specs): Specs;
  /**
   * One update; `beta2` only if the optimiser takes it.
   * @param squared the gradients whose squares are averaged, if any are; `grads` unless given
   * @returns the next parameters and state
   */
  update(
    params: Tensors,
    grads: Tensors,
    state: Tensors,
    learningRate: tf.Tensor,
    beta2?: tf.Tensor,
    squared?: Tensors,
  ): { params: Tensors; state: Tensors };
}

const EPSILON = 1e-8;

/**
 * Adam (Kingma & Ba 2015, algorithm 1), with ε added outside the bias-corrected root as in PyTorch.
 * Its state is `count`, and the moments `m/name` and `v/name` of each parameter.
 * @param beta2 a number, or `input` if each update is given its own. The correction of the second
 *   moment is then the product of the decays so far in place of a power: 1 − Πβ₂ is the moving average
 *   of ones, kept in the state as `weight`.
 */
export const adam = ({ beta1, beta2 }: { beta1: number; beta2: number | 'input' }): Optimizer => ({
  takesBeta2: beta2 === 'input',
  state: (params) => {
    const zeros = (shape: readonly number[]) => ({ shape, start: { kind: 'zeros' } }) as const;
    const moments = Object.entries(params).flatMap(([name, { shape }]) => [
      [`m/${name}`, zeros(shape)],
      [`v/${name}`, zeros(shape)],
    ]);
    const weight = beta2 === 'input' && { weight: zeros([]) };
    return { count: zeros([]), ...weight, ...Object.fromEntries(moments) };
  },
  update(params, grads, state, learningRate, given, squared = grads) {
    const count = tf.add(state.count as tf.Tensor, 1);
    const correction = (beta: number) => tf.sub(1, tf.pow(tf.scalar(beta), count));
    const decay = beta2 === 'input' ? (given as tf.Tensor) : beta2;
    const weight = state.weight && mix(state.weight, tf.scalar(1), decay);
    // p − lr · (m / c₁) / (√(v / c₂) + ε), rearranged so that scalars are computed once.
    const root = tf.sqrt(weight ?? correction(beta2 as number));
    const rate = tf.div(tf.mul(learningRate, root), correction(beta1));
    const epsilon = tf.mul(root, EPSILON);
    const nextParams: Record<string, tf.Tensor> = {};
    const nextState: Record<string, tf.Tensor> = { count, ...(weight && { weight }) };
    for (const [name, p] of Object.entries(params)) {
      const g = grads[name] as tf.Tensor;
      const m = mix(state[`m/${name}`] as tf.Tensor, g, beta1);
      const v = mix(state[`v/${name}`] as tf.Tensor, tf.square(squared[name] as tf.Tensor), decay);
      const direction = tf.div(m, tf.add(tf.sqrt(v), epsilon));
      nextParams[name] = tf.sub(p, tf.mul(direction, rate));
      nextState[`m/${name}`] = m;
      nextState[`v/${name}`] = v;
    }
    return { params: nextParams, state: nextState };
  },
});

/** β · average + (1 − β) · now. Halving is exact, so β = ½ needs one multiplication only. */
const mix = (average: tf.Tensor, now: tf.Tensor, beta: number | tf.Tensor): tf.Tensor =>
  beta === 0.5
    ? tf.mul(tf.add(average, now), beta)
    : tf.add(
        tf.mul(average, beta),
        tf.mul(now, typeof beta === 'number' ? 1 - beta : tf.sub(1, beta)),
      );

/** Gradient descent, p − lr · g, which has no state. */
export const sgd = (): Optimizer => ({
  takesBeta2: false,
  state: () => ({}),
  update: (params, grads, state, learningRate) => ({
    params: mapRecord(params, (p, name) =>
      tf.sub(p, tf.mul(grads[name] as tf.Tensor, learningRate)),
    ),
    state,
  }),
});

/** The decay rates of Adam; the defaults are those of its paper, 0.9 and 0.999. */
export interface OptimizerSettings {
  readonly beta1?: number | undefined;
  readonly beta2?: number | 'input' | undefined;
}

/** The optimisers by the names that recipes use. */
export const OPTIMIZERS: Readonly<
  Record<'adam' | 'sgd', (settings: OptimizerSettings) => Optimizer>
> = {
  adam: ({ beta1 = 0.9, beta2 = 0.999 }) => adam({ beta1, beta2 }),
  sgd,
};
