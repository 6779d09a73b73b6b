/** Layers of which a size besides the batch stays free, against TF.js's own predict at several sizes. */
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { compare } from '../src/convert/verify.js';
import { convertModel, verifyModel } from '../src/index.js';
import { artifactsOf, float32, open, scratch, wave, writeModel } from './models-files.js';

const folder = scratch();

const any = null as never;
type Layer = InstanceType<typeof layers.Layer>;

const kinds: [name: string, sizes: number[], list: () => Layer[]][] = [
  [
    'layer normalisation and a dense layer',
    [6],
    () => [
      layers.layerNormalization({ inputShape: [any, 6] }),
      layers.dense({ units: 3, activation: 'tanh' }),
      layers.layerNormalization(),
    ],
  ],
  [
    'rows of a table, and a mean',
    [],
    () => [
      layers.embedding({ inputDim: 9, outputDim: 4, batchInputShape: [any, any] }),
      layers.globalAveragePooling1d(),
    ],
  ],
];

test.each(kinds)('%s of any number of steps', async (_, sizes, list) => {
  const model = sequential({ layers: list() });
  model.setWeights(
    model.weights.map(({ shape }) => tf.tensor(wave(shape as number[]), shape as number[])),
  );
  const input = model.inputNames[0] as string;
  const file = writeModel(folder(), await artifactsOf(model));
  const converted = await convertModel(file, { inputShapes: { [input]: ['N', 'T', ...sizes] } });
  const session = await open(converted);
  expect((await verifyModel(converted, (x) => session.run(x))).difference).toBeLessThan(1e-5);
  for (const shape of [
    [1, 1, ...sizes],
    [2, 7, ...sizes],
  ]) {
    // A number of a row, where the layer looks one up.
    const x = float32(
      shape,
      sizes.length > 0 ? wave(shape) : wave(shape).map((v) => Math.round(v * 4 + 4)),
    );
    const y = model.predict(tf.tensor(x.data, shape)) as tf.Tensor;
    const results = await session.run({ [input]: x });
    const expected = float32(y.shape, y.dataSync() as Float32Array);
    expect(compare(results[converted.outputs[0] as string], expected)).toBeLessThan(1e-5);
  }
  await session.dispose();
  converted.dispose();
});

const image = { inputShape: [any, any, 2] };
const strided = { strides: 2, padding: 'same' as const };

const windows: [name: string, list: () => Layer[]][] = [
  [
    'convolutions',
    () => [
      layers.conv2d({ ...image, ...strided, filters: 3, kernelSize: 3 }),
      layers.conv2d({ ...strided, filters: 3, kernelSize: 2 }),
    ],
  ],
  [
    'depthwise convolutions',
    () => [layers.depthwiseConv2d({ ...image, ...strided, kernelSize: 3 })],
  ],
  [
    'a window of 3 every 4',
    () => [layers.conv2d({ ...image, filters: 2, kernelSize: 3, padding: 'same', strides: 4 })],
  ],
  [
    'pools',
    () => [
      layers.maxPooling2d({ ...image, ...strided, poolSize: 3 }),
      layers.averagePooling2d({ ...strided, poolSize: 3 }),
    ],
  ],
];

test.each(windows)('%s with strides of images of any size, even or odd', async (_, list) => {
  const model = sequential({ layers: list() });
  model.setWeights(
    model.weights.map(({ shape }) => tf.tensor(wave(shape as number[]), shape as number[])),
  );
  const input = model.inputNames[0] as string;
  const file = writeModel(folder(), await artifactsOf(model));
  const converted = await convertModel(file, { inputShapes: { [input]: ['N', 'H', 'W', 2] } });
  const session = await open(converted);
  for (const [height, width] of [
    [8, 9],
    [11, 6],
    [5, 7],
    [14, 13],
  ] as const) {
    const x = float32([2, height, width, 2]);
    const y = model.predict(tf.tensor(x.data, [...x.shape])) as tf.Tensor;
    const found = (await session.run({ [input]: x }))[converted.outputs[0] as string];
    const expected = float32(y.shape, y.dataSync() as Float32Array);
    expect(compare(found, expected), `${height} × ${width}`).toBeLessThan(1e-5);
  }
  await session.dispose();
  converted.dispose();
});
