import { NETWORKS, type Pair } from '@gpn/models';
import { stream, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { runEagerly } from '../src/eager.js';
import { compile, type State } from '../src/engine.js';
import { LOSSES, type LossPair } from '../src/losses.js';
import { adam } from '../src/optimizers.js';
import { ganSpecs, startingState } from '../src/state.js';
import { adversarialStep } from '../src/steps/adversarial.js';

const BATCH = 2;
/**
 * Two right implementations agree to about 1e-6 after a step, unless a gradient or a hidden value
 * is zero to within rounding: Adam's first step makes a whole step of the gradient's sign, and a
 * leaky ReLU's kink has a side. One seed in four has such a value; this one has none.
 */
const SEED = 3;
const optimizer = adam({ beta1: 0.5, beta2: 0.99 });

const tensor = (data: Float32Array | Uint8Array, shape: number[]): TensorData =>
  data instanceof Uint8Array ? { dtype: 'uint8', shape, data } : { dtype: 'float32', shape, data };

const feedsOf = (step: number): State => {
  const random = stream(SEED, 'test', step);
  return {
    'batch/images': tensor(Uint8Array.from(random.uniform(BATCH * 784, 0, 256)), [
      BATCH,
      28,
      28,
      1,
    ]),
    'noise/latents': tensor(random.uniform(BATCH * 16), [BATCH, 16]),
    'hyper/generatorRate': tensor(Float32Array.of(2e-4), []),
    'hyper/discriminatorRate': tensor(Float32Array.of(5e-4), []),
  };
};

/** Largest difference over the largest magnitude: where Adam divides by almost nothing, a ratio per element says nothing. */
function distance(a: TensorData, b: TensorData): number {
  let [difference, magnitude] = [0, 1e-12];
  for (let i = 0; i < b.data.length; i++) {
    difference = Math.max(difference, Math.abs(Number(a.data[i]) - Number(b.data[i])));
    magnitude = Math.max(magnitude, Math.abs(Number(b.data[i])));
  }
  return difference / magnitude;
}

/** The tensor, or the loss, that differs most between the compiled step and TF.js, after each step. */
async function differences(pair: Pair, steps: number): Promise<{ name: string; by: number }[]> {
  const step = adversarialStep({
    ...pair,
    loss: LOSSES.modified as LossPair,
    optimizer,
    labelSmoothing: 0.1,
    range: [0, 1],
  });
  const specs = ganSpecs(pair, optimizer, { batchSize: BATCH, latentSize: 16 });
  const start = startingState(pair, optimizer, 'normal', stream(SEED, 'initialization'));
  const compiled = await compile(step, specs, { device: 'cpu' });
  compiled.load(start);
  await tf.setBackend('cpu');
  let state = start;
  const worst: { name: string; by: number }[] = [];
  for (let i = 0; i < steps; i++) {
    const metrics = await compiled.run(feedsOf(i));
    const eager = runEagerly(step, specs, { state, feeds: feedsOf(i) });
    state = eager.state;
    const tensors = Object.keys(state).map((name) => ({
      name,
      by: distance(compiled.state()[name] as TensorData, state[name] as TensorData),
    }));
    const losses = Object.entries(eager.metrics).map(([name, loss]) => ({
      name,
      by: Math.abs((metrics[name] as number) - loss) / Math.abs(loss),
    }));
    worst.push([...tensors, ...losses].sort((a, b) => b.by - a.by)[0] as (typeof worst)[number]);
  }
  await compiled.dispose();
  return worst;
}

const networks = (options: { batchNorm?: boolean; spectralNorm?: boolean; width?: number }): Pair =>
  (NETWORKS['dcgan-mnist'] as NonNullable<(typeof NETWORKS)[string]>)({
    latentSize: 16,
    batchNorm: true,
    spectralNorm: true,
    ...options,
  });

// The oracle is TF.js's cpu backend, operation by operation.
describe('the compiled DCGAN step', () => {
  it('equals the eager one within 1e-4 after one step, at full width', async () => {
    const [first] = await differences(networks({}), 1);
    expect(first?.by, first?.name).toBeLessThan(1e-4);
  }, 120_000);

  it('equals it within 1e-3 after twenty steps, at an eighth of the width', async () => {
    const all = await differences(networks({ width: 1 / 8 }), 20);
    expect(all[0]?.by, all[0]?.name).toBeLessThan(1e-4);
    expect(all[19]?.by, all[19]?.name).toBeLessThan(1e-3);
  }, 120_000);

  it.each([
    { batchNorm: false, spectralNorm: true },
    { batchNorm: true, spectralNorm: false },
  ])('equals it with %o', async (options) => {
    const all = await differences(networks({ ...options, width: 1 / 8 }), 3);
    expect(all[0]?.by, all[0]?.name).toBeLessThan(1e-4);
    expect(all[2]?.by, all[2]?.name).toBeLessThan(1e-3);
  });
});
