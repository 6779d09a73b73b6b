/** Layers of which a size besides the batch stays free, against TF.js's own predict at several sizes. */
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { compare } from '../src/convert/verify.js';
import { convertModel, verifyModel } from '../src/index.js';
import { artifactsOf, float32, open, scratch, wave, writeModel } from './models-files.js';

const folder = scratch();

test('layer normalisation and a dense layer of any number of steps', async () => {
  const model = sequential({
    layers: [
      layers.layerNormalization({ inputShape: [null as never, 6] }),
      layers.dense({ units: 3, activation: 'tanh' }),
      layers.layerNormalization(),
    ],
  });
  model.setWeights(
    model.weights.map(({ shape }) => tf.tensor(wave(shape as number[]), shape as number[])),
  );
  const input = model.inputNames[0] as string;
  const file = writeModel(folder(), await artifactsOf(model));
  const converted = await convertModel(file, { inputShapes: { [input]: ['N', 'T', 6] } });
  const session = await open(converted);
  expect((await verifyModel(converted, (x) => session.run(x))).difference).toBeLessThan(1e-5);
  for (const shape of [
    [1, 1, 6],
    [2, 7, 6],
  ]) {
    const x = float32(shape);
    const y = model.predict(tf.tensor(x.data, shape)) as tf.Tensor;
    const results = await session.run({ [input]: x });
    const expected = float32(y.shape, y.dataSync() as Float32Array);
    expect(compare(results[converted.outputs[0] as string], expected)).toBeLessThan(1e-5);
  }
  await session.dispose();
  converted.dispose();
});
