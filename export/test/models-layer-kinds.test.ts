/** Each kind of layer by itself, saved and exported, against TF.js's own predict. */
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  layers as L,
  type LayersModel,
  model,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { compare } from '../src/convert/verify.js';
import { convertModel } from '../src/index.js';
import { artifactsOf, float32, open, scratch, wave, writeModel } from './models-files.js';

const folder = scratch();

type Layer = InstanceType<typeof L.Layer>;
type Row = [name: string, layers: () => Layer[]];

const image = { inputShape: [6, 6, 4] };
const video = { inputShape: [4, 4, 4, 2] };
const series = { inputShape: [5, 4] };
/** TF.js's default draws these by a method that its Node build of the core lacks. */
const recurrentInitializer = 'glorotNormal' as const;
const channelsFirst = { inputShape: [4, 6, 6], dataFormat: 'channelsFirst' as const };

const activations = [
  ...['elu', 'selu', 'softplus', 'softsign', 'tanh', 'hardSigmoid', 'relu', 'relu6', 'linear'],
  ...['sigmoid', 'softmax', 'swish', 'mish', 'gelu'],
] as const;

const rows: Row[] = [
  ...activations.map(
    (a): Row => [
      `activation ${a}`,
      () => [L.dense({ units: 5, inputShape: [4], activation: a as 'elu' })],
    ],
  ),
  ['log softmax', () => [L.activation({ activation: 'logSoftmax' as 'softmax', inputShape: [4] })]],
  ['elu', () => [L.elu({ inputShape: [4] })]],
  ['relu with a ceiling', () => [L.reLU({ inputShape: [4], maxValue: 0.5 })]],
  ['thresholded relu', () => [L.thresholdedReLU({ inputShape: [4], theta: 0.3 })]],
  ['prelu', () => [L.prelu({ inputShape: [4] })]],
  [
    'prelu by channel',
    () => [L.conv2d({ ...image, filters: 3, kernelSize: 1 }), L.prelu({ sharedAxes: [1, 2] })],
  ],
  ['leaky relu', () => [L.leakyReLU({ inputShape: [4] })]],
  ['layer normalisation', () => [L.layerNormalization(series)]],
  ['batch normalisation of rows', () => [L.batchNormalization({ inputShape: [4] })]],
  ['batch normalisation of series', () => [L.batchNormalization(series)]],
  [
    'dilated convolution',
    () => [L.conv2d({ ...image, filters: 3, kernelSize: 2, dilationRate: 2, padding: 'same' })],
  ],
  [
    'channels-first convolution',
    () => [L.conv2d({ ...channelsFirst, filters: 3, kernelSize: 3, padding: 'same' })],
  ],
  ['convolution of volumes', () => [L.conv3d({ ...video, filters: 3, kernelSize: 2 })]],
  [
    'transposed convolution of volumes',
    () => [L.conv3dTranspose({ ...video, filters: 3, kernelSize: 2, strides: 2 })],
  ],
  [
    'transposed convolution',
    () => [L.conv2dTranspose({ ...image, filters: 3, kernelSize: 3, strides: 2 })],
  ],
  [
    'channels-first transposed convolution',
    () => [L.conv2dTranspose({ ...channelsFirst, filters: 3, kernelSize: 3, strides: 2 })],
  ],
  [
    'dilated depthwise convolution',
    () => [L.depthwiseConv2d({ ...image, kernelSize: 3, dilationRate: 2 })],
  ],
  [
    'cropping',
    () => [
      L.cropping2D({
        ...image,
        cropping: [
          [1, 2],
          [0, 1],
        ],
      }),
    ],
  ],
  [
    'zero padding',
    () => [
      L.zeroPadding2d({
        ...image,
        padding: [
          [1, 2],
          [0, 1],
        ],
      }),
    ],
  ],
  [
    'bilinear upsampling',
    () => [L.upSampling2d({ ...image, size: [2, 3], interpolation: 'bilinear' })],
  ],
  ['channels-first upsampling', () => [L.upSampling2d({ ...channelsFirst, size: [2, 2] })]],
  ['average pooling of series', () => [L.averagePooling1d({ ...series, poolSize: 2 })]],
  ['max pooling of series', () => [L.maxPooling1d({ ...series, poolSize: 2, padding: 'same' })]],
  [
    'average pooling',
    () => [L.averagePooling2d({ ...image, poolSize: 3, strides: [2, 2], padding: 'same' })],
  ],
  ['max pooling of volumes', () => [L.maxPooling3d({ ...video, poolSize: 2 })]],
  ['average pooling of volumes', () => [L.averagePooling3d({ ...video, poolSize: 2 })]],
  ['global average of series', () => [L.globalAveragePooling1d(series)]],
  ['global maximum', () => [L.globalMaxPooling2d(image)]],
  ['permutation', () => [L.permute({ ...image, dims: [3, 1, 2] })]],
  ['reshaping', () => [L.reshape({ ...image, targetShape: [-1, 8] } as never)]],
  ['repetition', () => [L.repeatVector({ inputShape: [4], n: 3 })]],
  ['rescaling', () => [L.rescaling({ ...image, scale: 1 / 127.5, offset: -1 })]],
  [
    'noise and dropout, which rest',
    () => [
      L.gaussianNoise({ inputShape: [4], stddev: 1 }),
      L.gaussianDropout({ rate: 0.5 }),
      L.alphaDropout({ rate: 0.5 }),
      L.dropout({ rate: 0.5 }),
    ],
  ],
  ['a layer over time', () => [L.timeDistributed({ ...series, layer: L.dense({ units: 3 }) })]],
  [
    'a convolution over time',
    () => [
      L.timeDistributed({
        inputShape: [3, 6, 6, 2],
        layer: L.conv2d({ filters: 3, kernelSize: 3 }),
      }),
    ],
  ],
  [
    'masked series',
    () => [L.masking({ ...series, maskValue: 0 }), L.lstm({ units: 3, recurrentInitializer })],
  ],
  [
    'GRU backwards',
    () => [
      L.gru({
        ...series,
        units: 3,
        returnSequences: true,
        goBackwards: true,
        recurrentInitializer,
      }),
    ],
  ],
  [
    'stacked cells',
    () => [
      L.rnn({
        ...series,
        cell: [
          L.lstmCell({ units: 3, recurrentInitializer }),
          L.gruCell({ units: 2, recurrentInitializer }),
        ],
      } as never),
    ],
  ],
  [
    'convolutional LSTM',
    () => [
      L.convLstm2d({ inputShape: [3, 6, 6, 2], filters: 2, kernelSize: 3, recurrentInitializer }),
    ],
  ],
  [
    'both ways, averaged',
    () => [
      L.bidirectional({
        ...series,
        layer: L.gru({ units: 3, recurrentInitializer }) as never,
        mergeMode: 'ave',
      }),
    ],
  ],
];

const two = (
  f: (a: SymbolicTensor, b: SymbolicTensor) => unknown,
  ...shapes: [number[], number[]]
): LayersModel => {
  const [a, b] = shapes.map((shape) => input({ shape })) as [SymbolicTensor, SymbolicTensor];
  return model({ inputs: [a, b], outputs: f(a, b) as SymbolicTensor });
};

const merges = {
  add: L.add,
  average: L.average,
  maximum: L.maximum,
  minimum: L.minimum,
  multiply: L.multiply,
  concatenate: L.concatenate,
};

const models: [name: string, build: () => LayersModel][] = [
  ...rows.map(([name, list]): [string, () => LayersModel] => [
    name,
    () => sequential({ layers: list() }),
  ]),
  ...Object.entries(merges).map(([name, layer]): [string, () => LayersModel] => [
    name,
    () => two((a, b) => layer().apply([a, b]), [3, 4], [3, 4]),
  ]),
  ['dot', () => two((a, b) => L.dot({ axes: [2, 1] }).apply([a, b]), [3, 4], [4, 5])],
  [
    'an input handed through',
    () => {
      const x = input({ shape: [4] });
      return model({ inputs: x, outputs: [x, L.dense({ units: 2 }).apply(x) as SymbolicTensor] });
    },
  ],
  [
    'an encoder whose states start a decoder',
    () =>
      two(
        (a, b) => {
          const encoder = L.lstm({ units: 3, returnState: true, recurrentInitializer });
          const [, h, c] = encoder.apply(a) as SymbolicTensor[];
          const decoder = L.lstm({ units: 3, returnSequences: true, recurrentInitializer });
          return decoder.apply([b, h as SymbolicTensor, c as SymbolicTensor]);
        },
        [5, 4],
        [3, 4],
      ),
  ],
  [
    'a stateful layer, from its first state',
    () =>
      sequential({
        layers: [
          L.lstm({ batchInputShape: [2, 5, 4], units: 3, stateful: true, recurrentInitializer }),
        ],
      }),
  ],
];

describe('a converted layers model', () => {
  test.each(models)('with the layer %s computes what TF.js computes', async (_, build) => {
    const net = build();
    net.setWeights(
      net.weights.map(({ name, shape }) => {
        const values = wave(shape as number[], 0.4);
        return tf.tensor(
          /variance/.test(name) ? values.map((v) => 1 + v) : values,
          shape as number[],
        );
      }),
    );
    const converted = await convertModel(writeModel(folder(), await artifactsOf(net)));
    expect(converted.notes).toEqual([]);
    const names = [...converted.inputs.keys()];
    const tensors = net.inputs.map(({ shape }) => {
      const sizes = shape.map((d) => d ?? 2);
      return tf.tensor(wave(sizes), sizes);
    });
    const session = await open(converted);
    const ours = await session.run(
      Object.fromEntries(
        tensors.map((t, i) => [
          names[i],
          { dtype: 'float32', shape: t.shape, data: t.dataSync() as Float32Array },
        ]),
      ),
    );
    await session.dispose();
    const theirs = [net.predict(tensors)].flat() as tf.Tensor[];
    theirs.forEach((t, i) => {
      const expected = {
        dtype: 'float32',
        shape: t.shape,
        data: t.dataSync() as Float32Array,
      } as const;
      expect(compare(ours[converted.outputs[i] as string], expected)).toBeLessThan(1e-5);
    });
  });
});

test('an output that is listed twice, which TF.js itself gives once', async () => {
  const x = input({ shape: [4] });
  const y = L.dense({ units: 2 }).apply(x) as SymbolicTensor;
  const net = model({ inputs: x, outputs: [y, y] });
  const converted = await convertModel(writeModel(folder(), await artifactsOf(net)));
  const [once = '', again = ''] = converted.outputs;
  expect(again).toBe(`${once}_1`);
  const session = await open(converted);
  const data = Float32Array.from(wave([3, 4]));
  const name = [...converted.inputs.keys()][0] as string;
  const found = await session.run({ [name]: { dtype: 'float32', shape: [3, 4], data } });
  await session.dispose();
  const single = model({ inputs: x, outputs: y }).predict(tf.tensor(data, [3, 4])) as tf.Tensor;
  const expected = float32([3, 2], single.dataSync() as Float32Array);
  for (const output of [once, again]) expect(compare(found[output], expected)).toBeLessThan(1e-6);
});
