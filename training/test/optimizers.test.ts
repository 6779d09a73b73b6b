import { spec } from '@gpn/export';
import type { Tensors } from '@gpn/models';
import type { TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../src/engine/compiled.js';
import { runEagerly } from '../src/engine/eager.js';
import type { State } from '../src/engine/types.js';
import { OPTIMIZERS } from '../src/gan/optimizers.js';
import '@tensorflow/tfjs-backend-cpu';

const RATE = 0.1;
const BETAS = { beta1: 0.5, beta2: 0.99 };
const START = [1, -2, 0.5];
/** The gradients of three steps. */
const GRADIENTS = [
  [0.5, -1, 0],
  [2, 0.25, 1e-3],
  [-0.5, 0.75, -1],
];

/** Where a parameter is after all steps, in float64. */
type Path = (start: number, gradients: readonly number[]) => number;

const PATHS: Readonly<Record<keyof typeof OPTIMIZERS, Path>> = {
  sgd: (start, gradients) => start - RATE * gradients.reduce((a, b) => a + b, 0),
  // Kingma & Ba 2015, algorithm 1, line by line.
  adam: (start, gradients) => {
    let [theta, m, v] = [start, 0, 0];
    gradients.forEach((g, i) => {
      const t = i + 1;
      m = BETAS.beta1 * m + (1 - BETAS.beta1) * g;
      v = BETAS.beta2 * v + (1 - BETAS.beta2) * g ** 2;
      const [mHat, vHat] = [m / (1 - BETAS.beta1 ** t), v / (1 - BETAS.beta2 ** t)];
      theta -= (RATE * mHat) / (Math.sqrt(vHat) + 1e-8);
    });
    return theta;
  },
};

/** β₂ of each step, where it is an input. */
const BETA2 = [0.9, 0.95, 0.99];

/**
 * Adam with another β₂ at each step: the second moment is a weighted sum of the squares so far, and the
 * correction divides by the sum of its weights, written out.
 */
const varying: Path = (start, gradients) => {
  let [theta, m] = [start, 0];
  gradients.forEach((g, i) => {
    m = BETAS.beta1 * m + (1 - BETAS.beta1) * g;
    const weights = BETA2.slice(0, i + 1).map((beta, k) =>
      BETA2.slice(k + 1, i + 1).reduce((product, later) => product * later, 1 - beta),
    );
    const sum = (of: (k: number) => number) => weights.reduce((all, w, k) => all + w * of(k), 0);
    const vHat = sum((k) => (gradients[k] as number) ** 2) / sum(() => 1);
    theta -= (RATE * (m / (1 - BETAS.beta1 ** (i + 1)))) / (Math.sqrt(vHat) + 1e-8);
  });
  return theta;
};

interface Inputs {
  state: { params: Tensors; optimizer: Tensors };
  batch: { gradient: tf.Tensor };
  rates: { rate: tf.Tensor; beta2?: tf.Tensor };
}

const floats = (data: readonly number[], shape: readonly number[]): TensorData => ({
  dtype: 'float32',
  shape: [...shape],
  data: Float32Array.from(data),
});

beforeAll(async () => {
  await tf.setBackend('cpu');
});

it('every optimiser is in the specification of optimisers', () => {
  expect(Object.keys(PATHS).sort()).toEqual(Object.keys(OPTIMIZERS).sort());
});

// The oracle is the closed form, or the paper's algorithm, in float64.
describe.each([
  ['sgd', OPTIMIZERS.sgd(BETAS), PATHS.sgd],
  ['adam', OPTIMIZERS.adam(BETAS), PATHS.adam],
  ['adam with β₂ as an input', OPTIMIZERS.adam({ ...BETAS, beta2: 'input' }), varying],
] as const)('the optimiser %s', (_, optimizer, path) => {
  const shape = [START.length];
  const specs = { w: { shape, start: { kind: 'zeros' } as const } };
  const memory = optimizer.state(specs);
  const inputs = {
    state: {
      params: { w: spec(shape) },
      optimizer: Object.fromEntries(
        Object.entries(memory).map(([key, { shape: s }]) => [key, spec(s)]),
      ),
    },
    batch: { gradient: spec(shape) },
    rates: { rate: spec([]), ...(optimizer.takesBeta2 && { beta2: spec([]) }) },
  };
  const step = ({ state, batch, rates }: Inputs) => {
    const { params, optimizer: moments } = state;
    const grads = { w: batch.gradient };
    const next = optimizer.update(params, grads, moments, rates.rate, rates.beta2);
    return { state: { params: next.params, optimizer: next.state }, metrics: {} };
  };
  const start: State = {
    'params/w': floats(START, shape),
    ...Object.fromEntries(
      Object.entries(memory).map(([key, { shape: s }]) => [
        `optimizer/${key}`,
        floats(
          Array.from({ length: s.reduce((a, b) => a * b, 1) }, () => 0),
          s,
        ),
      ]),
    ),
  };
  const feedsOf = (gradient: readonly number[], i: number): State => ({
    'batch/gradient': floats(gradient, shape),
    'rates/rate': floats([RATE], []),
    ...(optimizer.takesBeta2 && { 'rates/beta2': floats([BETA2[i] as number], []) }),
  });
  const expectThere = (state: State) => {
    const found = state['params/w']?.data as Float32Array;
    START.forEach((from, i) => {
      const gradients = GRADIENTS.map((step) => step[i] as number);
      expect(found[i]).toBeCloseTo(path(from, gradients), 5);
    });
  };

  it('follows its formula for three steps', () => {
    let state = start;
    for (const [i, gradient] of GRADIENTS.entries()) {
      state = runEagerly(step as never, inputs, { state, feeds: feedsOf(gradient, i) }).state;
    }
    expectThere(state);
  });

  it('takes the same steps when it is compiled', async () => {
    const compiled = await compile(step as never, inputs, { device: 'cpu' });
    compiled.load(start);
    for (const [i, gradient] of GRADIENTS.entries()) await compiled.run(feedsOf(gradient, i));
    expectThere(compiled.state());
    await compiled.dispose();
  });
});
