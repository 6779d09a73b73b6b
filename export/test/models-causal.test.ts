/** Convolutions that look only at what came before, which TF.js refuses, by their definition. */
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { compare } from '../src/convert/verify.js';
import { convertModel, verifyModel } from '../src/index.js';
import { artifactsOf, float32, open, scratch, wave, writeModel } from './models-files.js';

const folder = scratch();
const [batch, steps, channels, filters, taps] = [2, 9, 3, 4, 3];

test.each([
  [1, 1],
  [2, 1],
  [1, 2],
])('a causal convolution of dilation %i and stride %i', async (dilationRate, strides) => {
  const options = { filters, kernelSize: taps, dilationRate, strides, padding: 'causal' as const };
  const model = sequential({
    layers: [layers.conv1d({ ...options, inputShape: [steps, channels], useBias: false })],
  });
  const w = wave([taps, channels, filters]);
  model.setWeights([tf.tensor(w, [taps, channels, filters])]);
  const x = float32([batch, steps, channels]);
  const of = (b: number, t: number, f: number): number => {
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const at = t - (taps - 1 - k) * dilationRate;
      for (let c = 0; at >= 0 && c < channels; c++) {
        const tap = w[(k * channels + c) * filters + f] as number;
        sum += tap * (x.data[(b * steps + at) * channels + c] as number);
      }
    }
    return sum;
  };
  const length = Math.ceil(steps / strides);
  const y = Float32Array.from({ length: batch * length * filters }, (_, i) => {
    const row = Math.floor(i / filters);
    return of(Math.floor(row / length), (row % length) * strides, i % filters);
  });

  const converted = await convertModel(writeModel(folder(), await artifactsOf(model)));
  const session = await open(converted);
  const run = (inputs: Parameters<typeof session.run>[0]) => session.run(inputs);
  expect((await verifyModel(converted, run)).difference).toBeLessThan(1e-6);
  const [[input = ''] = [], [output = ''] = []] = [[...converted.inputs.keys()], converted.outputs];
  const found = (await run({ [input]: x }))[output];
  expect(found?.shape).toEqual([batch, length, filters]);
  expect(compare(found, float32([batch, length, filters], y))).toBeLessThan(1e-6);
  await session.dispose();
  converted.dispose();
});
