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

interface Inputs {
  state: { params: Tensors; optimizer: Tensors };
  batch: { gradient: tf.Tensor };
  rates: { rate: tf.Tensor };
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
describe.each(Object.keys(PATHS) as (keyof typeof OPTIMIZERS)[])('the optimiser %s', (name) => {
  const optimizer = OPTIMIZERS[name](BETAS);
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
    rates: { rate: spec([]) },
  };
  const step = ({ state, batch, rates }: Inputs) => {
    const next = optimizer.update(state.params, { w: batch.gradient }, state.optimizer, rates.rate);
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
  const feedsOf = (gradient: readonly number[]): State => ({
    'batch/gradient': floats(gradient, shape),
    'rates/rate': floats([RATE], []),
  });
  const expectThere = (state: State) => {
    const found = state['params/w']?.data as Float32Array;
    START.forEach((from, i) => {
      const gradients = GRADIENTS.map((step) => step[i] as number);
      expect(found[i]).toBeCloseTo(PATHS[name](from, gradients), 5);
    });
  };

  it('follows its formula for three steps', () => {
    let state = start;
    for (const gradient of GRADIENTS) {
      state = runEagerly(step as never, inputs, { state, feeds: feedsOf(gradient) }).state;
    }
    expectThere(state);
  });

  it('takes the same steps when it is compiled', async () => {
    const compiled = await compile(step as never, inputs, { device: 'cpu' });
    compiled.load(start);
    for (const gradient of GRADIENTS) await compiled.run(feedsOf(gradient));
    expectThere(compiled.state());
    await compiled.dispose();
  });
});
