import type { Specs, Tensors } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';

/**
 * An optimiser as two pure functions. Its state is tensors by name, in the checkpoint like any
 * other; the learning rate is an input, so that a schedule needs no new trace.
 */
export interface Optimizer {
  /** Its state for these parameters. */
  state(params: Specs): Specs;
  update(
    params: Tensors,
    grads: Tensors,
    state: Tensors,
    learningRate: tf.Tensor,
  ): { params: Tensors; state: Tensors };
}

const EPSILON = 1e-8;

/**
 * Adam (Kingma & Ba 2015, algorithm 1) with PyTorch's placing of ε.
 *
 * State: `count`, and per parameter the moments without their factors, `sum/name` = m / (1 − β₁) and
 * `squares/name` = v / (1 − β₂): decaying sums take one product less than decaying means, and with
 * millions of parameters each product is a way through memory.
 */
export const adam = ({ beta1, beta2 }: { beta1: number; beta2: number }): Optimizer => ({
  state: (params) => {
    const zeros = (shape: readonly number[]) => ({ shape, start: { kind: 'zeros' } }) as const;
    const sums = Object.entries(params).flatMap(([name, { shape }]) => [
      [`sum/${name}`, zeros(shape)],
      [`squares/${name}`, zeros(shape)],
    ]);
    return { count: zeros([]), ...Object.fromEntries(sums) };
  },
  update(params, grads, state, learningRate) {
    const count = tf.add(state.count as tf.Tensor, 1);
    // What is left of m / (1 − β₁ᵗ) and v / (1 − β₂ᵗ) when they are written with the sums.
    const share = (beta: number) => tf.div(1 - beta, tf.sub(1, tf.pow(tf.scalar(beta), count)));
    // p − lr · m̂ / (√v̂ + ε), with what does not depend on the parameter taken out.
    const root = tf.rsqrt(share(beta2));
    const rate = tf.mul(learningRate, tf.mul(share(beta1), root));
    const epsilon = tf.mul(root, EPSILON);
    const nextParams: Record<string, tf.Tensor> = {};
    const nextState: Record<string, tf.Tensor> = { count };
    for (const [name, p] of Object.entries(params)) {
      const g = grads[name] as tf.Tensor;
      const sum = decayed(state[`sum/${name}`] as tf.Tensor, beta1, g);
      const squares = decayed(state[`squares/${name}`] as tf.Tensor, beta2, tf.square(g));
      const direction = tf.div(sum, tf.add(tf.sqrt(squares), epsilon));
      nextParams[name] = tf.sub(p, tf.mul(direction, rate));
      nextState[`sum/${name}`] = sum;
      nextState[`squares/${name}`] = squares;
    }
    return { params: nextParams, state: nextState };
  },
});

const decayed = (sum: tf.Tensor, beta: number, now: tf.Tensor): tf.Tensor =>
  tf.add(tf.mul(sum, beta), now);

/** Gradient descent: p − lr · g. It has no state. */
export const sgd = (): Optimizer => ({
  state: () => ({}),
  update: (params, grads, state, learningRate) => ({
    params: Object.fromEntries(
      Object.entries(params).map(([name, p]) => [
        name,
        tf.sub(p, tf.mul(grads[name] as tf.Tensor, learningRate)),
      ]),
    ),
    state,
  }),
});

/** What a recipe may say of its optimiser; the defaults are Adam's paper's. */
export interface OptimizerSettings {
  readonly beta1?: number | undefined;
  readonly beta2?: number | undefined;
}

/** The optimisers by the names that recipes use. */
export const OPTIMIZERS: Readonly<
  Record<'adam' | 'sgd', (settings: OptimizerSettings) => Optimizer>
> = {
  adam: ({ beta1 = 0.9, beta2 = 0.999 }) => adam({ beta1, beta2 }),
  sgd,
};
