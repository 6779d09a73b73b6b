import { NETWORKS } from '@gpn/models';
import { stream, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { runEagerly } from '../src/eager.js';
import { compile, type State } from '../src/engine.js';
import { LOSSES } from '../src/losses.js';
import { adam } from '../src/optimizers.js';
import { ganSpecs, startingState } from '../src/state.js';
import { adversarialStep } from '../src/steps/adversarial.js';

/** Largest difference of two tensors over the largest magnitude of the second. */
function distance(a: TensorData, b: TensorData): number {
  let [difference, magnitude] = [0, 1e-12];
  for (let i = 0; i < b.data.length; i++) {
    difference = Math.max(difference, Math.abs(Number(a.data[i]) - Number(b.data[i])));
    magnitude = Math.max(magnitude, Math.abs(Number(b.data[i])));
  }
  return difference / magnitude;
}

const BATCH = 2;
const tensor = (data: Float32Array | Uint8Array, shape: number[]): TensorData => ({
  dtype: data instanceof Uint8Array ? 'uint8' : 'float32',
  shape,
  data,
});

describe('the DCGAN step', () => {
  const pair = NETWORKS['dcgan-mnist']?.({ latentSize: 16, batchNorm: true, spectralNorm: true });
  if (!pair) throw new Error('no such network');
  const optimizer = adam({ beta1: 0.5, beta2: 0.99 });
  const step = adversarialStep({
    ...pair,
    loss: LOSSES.modified,
    optimizer,
    labelSmoothing: 0.1,
    range: [0, 1],
  });
  const inputs = ganSpecs(pair, optimizer, { batchSize: BATCH, latentSize: 16 });
  const feeds = (i: number): State => {
    const random = stream(1, 'test', i);
    const pixels = Uint8Array.from(random.uniform(BATCH * 784, 0, 256));
    return {
      'batch/images': tensor(pixels, [BATCH, 28, 28, 1]),
      'noise/latents': tensor(random.uniform(BATCH * 16), [BATCH, 16]),
      'hyper/generatorRate': tensor(Float32Array.of(2e-4), []),
      'hyper/discriminatorRate': tensor(Float32Array.of(5e-4), []),
    };
  };

  it('computes what TF.js computes eagerly: 1e-4 after one step, 1e-3 after twenty', async () => {
    const start = startingState(pair, optimizer, 'normal', stream(0, 'init'));
    const compiled = await compile(step, inputs, { device: 'cpu', threads: 2 });
    compiled.load(start);
    await tf.setBackend('cpu');
    let eager: State = start;
    const worst: Record<number, [number, string]> = {};
    for (let i = 1; i <= 20; i++) {
      const t = performance.now();
      const metrics = await compiled.run(feeds(i));
      const expected = runEagerly(step, inputs, { state: eager, feeds: feeds(i) });
      eager = expected.state;
      console.log(i, performance.now() - t, metrics, expected.metrics);
      const names = Object.keys(eager);
      worst[i] = names
        .map((n): [number, string] => [
          distance(compiled.state()[n] as TensorData, eager[n] as TensorData),
          n,
        ])
        .sort((a, b) => b[0] - a[0])[0] as [number, string];
      console.log(worst[i]);
    }
    expect(worst[1]?.[0]).toBeLessThan(1e-4);
    expect(worst[20]?.[0]).toBeLessThan(1e-3);
    await compiled.dispose();
  }, 300_000);
});
