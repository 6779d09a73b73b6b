/** Layers models of every family, saved as TF.js saves them, against TF.js's own predict. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { compare } from '../src/convert/verify.js';
import { convertModel, inspectModel, verifyModel } from '../src/index.js';
import { artifactsOf, open, scratch, wave, writeModel } from './models-files.js';

const folder = scratch();
const { layers } = tfl;

/** Weights that no initialiser makes: biases that are not zero, statistics that are not (0, 1). */
function unsettle(model: tfl.LayersModel): tfl.LayersModel {
  const changed = model.weights.map(({ name, shape }) => {
    const values = wave(shape as number[], 0.4);
    return tf.tensor(/variance/.test(name) ? values.map((v) => 1 + v) : values, shape as number[]);
  });
  model.setWeights(changed);
  return model;
}

const sequential = (...list: tfl.layers.Layer[]) => tfl.sequential({ layers: list });

function twoInTwoOut(): tfl.LayersModel {
  const image = tfl.input({ shape: [6, 6, 2], name: 'image' });
  const label = tfl.input({ shape: [3], name: 'label' });
  const x = layers.flatten().apply(layers.conv2d({ filters: 3, kernelSize: 3 }).apply(image));
  const both = layers.concatenate().apply([x as tfl.SymbolicTensor, label]);
  const score = layers.dense({ units: 1, name: 'score' }).apply(both) as tfl.SymbolicTensor;
  const classes = layers.dense({ units: 4, activation: 'softmax', name: 'classes' }).apply(both);
  return tfl.model({ inputs: [image, label], outputs: [classes as tfl.SymbolicTensor, score] });
}

/** A model as a layer of another, applied twice with the same weights. */
function siamese(): tfl.LayersModel {
  const tower = sequential(
    layers.dense({ units: 5, activation: 'tanh', inputShape: [4] }),
    layers.dense({ units: 3 }),
  );
  const left = tfl.input({ shape: [4], name: 'left' });
  const right = tfl.input({ shape: [4], name: 'right' });
  const towers = [left, right].map((x) => tower.apply(x) as tfl.SymbolicTensor);
  const dot = layers.dot({ axes: -1, normalize: true }).apply(towers) as tfl.SymbolicTensor;
  return tfl.model({ inputs: [left, right], outputs: dot });
}

const image = { inputShape: [8, 8, 3] };
const series = { inputShape: [5, 3] };
/** TF.js's default draws these by a method that its Node build of the core lacks. */
const recurrentInitializer = 'glorotNormal';

/** The family, the model, and operators that its file must have so often. */
const rows: [string, () => tfl.LayersModel, Record<string, number>?][] = [
  [
    'dense',
    () =>
      sequential(
        layers.dense({ units: 7, activation: 'relu', inputShape: [4] }),
        layers.dropout({ rate: 0.5 }),
        layers.dense({ units: 3, activation: 'softmax' }),
      ),
    { Relu: 1, Softmax: 1 },
  ],
  [
    'convolution with normalisation: one Conv and its activation',
    () =>
      sequential(
        layers.conv2d({ ...image, filters: 4, kernelSize: 3, strides: 2, padding: 'same' }),
        layers.batchNormalization(),
        layers.leakyReLU({ alpha: 0.1 }),
        layers.conv2d({ filters: 5, kernelSize: 3, activation: 'relu', useBias: false }),
        layers.globalAveragePooling2d({}),
      ),
    { Conv: 2, Mul: 0, Add: 0, BatchNormalization: 0 },
  ],
  [
    'depthwise and separable convolutions',
    () =>
      sequential(
        layers.depthwiseConv2d({ ...image, kernelSize: 3, depthMultiplier: 2, padding: 'same' }),
        layers.separableConv2d({ filters: 5, kernelSize: 3, activation: 'relu6' as 'relu' }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.flatten(),
      ),
  ],
  [
    'upsampling and transposed convolution',
    () =>
      sequential(
        layers.upSampling2d({ ...image, size: [2, 2] }),
        layers.conv2dTranspose({ filters: 2, kernelSize: 4, strides: 2, padding: 'same' }),
        layers.zeroPadding2d({ padding: 1 }),
        layers.cropping2D({ cropping: 2 } as never),
      ),
  ],
  [
    'LSTM',
    () =>
      sequential(layers.lstm({ ...series, units: 6, returnSequences: true, recurrentInitializer })),
  ],
  [
    'GRU',
    () =>
      sequential(
        layers.gru({ ...series, units: 6, recurrentInitializer }),
        layers.dense({ units: 2 }),
      ),
  ],
  [
    'LSTM both ways',
    () =>
      sequential(
        layers.bidirectional({
          ...series,
          layer: layers.lstm({ units: 4, returnSequences: true, recurrentInitializer }) as tfl.RNN,
          mergeMode: 'concat',
        }),
        layers.simpleRNN({ units: 3, recurrentInitializer }),
      ),
  ],
  [
    'convolution over time',
    () =>
      sequential(
        layers.conv1d({ ...series, filters: 4, kernelSize: 3, activation: 'relu' }),
        layers.globalMaxPooling1d({}),
      ),
  ],
  ['two inputs and two outputs', twoInTwoOut],
  ['a model in a model', siamese],
];

describe('a converted layers model', () => {
  test.each(rows)('of %s computes what TF.js computes', async (_, build, operators = {}) => {
    const model = unsettle(build());
    const converted = await convertModel(writeModel(folder(), await artifactsOf(model), 2));
    expect(converted.kind).toBe('layers');
    expect([...converted.inputs.keys()]).toEqual(model.inputNames);
    expect(converted.outputs).toEqual(model.outputNames);
    expect(converted.notes).toEqual([]);

    const session = await open(converted);
    for (const batch of [1, 3]) {
      const inputs = model.inputs.map(({ shape }) =>
        tf.tensor(wave(sized(shape, batch)), sized(shape, batch)),
      );
      const feeds = Object.fromEntries(
        inputs.map((t, i) => [
          model.inputNames[i] as string,
          { dtype: 'float32' as const, shape: t.shape, data: t.dataSync() as Float32Array },
        ]),
      );
      const ours = await session.run(feeds);
      const theirs = [model.predict(inputs)].flat() as tf.Tensor[];
      theirs.forEach((t, i) => {
        const expected = { dtype: 'float32', shape: t.shape, data: t.dataSync() } as const;
        expect(compare(ours[model.outputNames[i] as string], expected as never)).toBeLessThan(1e-5);
      });
    }
    await session.dispose();

    const counts = inspectModel(converted.model.toBytes()).operators;
    for (const [op, count] of Object.entries(operators)) expect(counts[op] ?? 0, op).toBe(count);
    converted.dispose();
  });

  test('an embedding takes indices, and is verified with valid ones', async () => {
    const model = unsettle(
      sequential(
        layers.embedding({ inputDim: 6, outputDim: 4, inputLength: 5 }),
        layers.lstm({ units: 3, recurrentInitializer }),
      ),
    );
    const converted = await convertModel(writeModel(folder(), await artifactsOf(model)));
    const session = await open(converted);
    const drawn: number[] = [];
    const found = await verifyModel(converted, (inputs) => {
      for (const { data } of Object.values(inputs)) drawn.push(...data);
      return session.run(inputs);
    });
    await session.dispose();
    expect(found.difference).toBeLessThan(1e-5);
    expect(found.batches).toEqual([1, 2]);
    expect(Math.max(...drawn)).toBe(5);
    expect(Math.min(...drawn)).toBe(0);
  });

  test('sizes that the model leaves open are given, and only they', async () => {
    const model = unsettle(
      sequential(layers.conv2d({ inputShape: [null, null, 3], filters: 2, kernelSize: 3 })),
    );
    const file = writeModel(folder(), await artifactsOf(model));
    const name = model.inputNames[0] as string;
    await expect(convertModel(file)).rejects.toThrow(`--input-shape ${name}=1x64x64x3`);
    await expect(convertModel(file, { inputShapes: { [name]: [1, 9, 9, 1] } })).rejects.toThrow(
      `"${name}" [?, ?, ?, 3] cannot have the shape [1, 9, 9, 1]`,
    );
    await expect(convertModel(file, { inputShapes: { img: [1, 9, 9, 3] } })).rejects.toThrow(
      `no input "img"`,
    );
    const fixed = await convertModel(file, { inputShapes: { [name]: [2, 9, 7, 3] } });
    expect(inspectModel(fixed.model.toBytes()).inputs[0]?.shape).toEqual([2, 9, 7, 3]);
    const free = await convertModel(file, { inputShapes: { [name]: ['N', 9, 7, 3] } });
    expect(inspectModel(free.model.toBytes()).outputs[0]?.shape).toEqual(['N', 7, 5, 2]);
  });

  test('sizes that stay free are compared at two of each', async () => {
    const model = unsettle(
      sequential(
        layers.conv2d({ inputShape: [null, null, 3], filters: 2, kernelSize: 3 }),
        layers.upSampling2d({ size: [2, 2], interpolation: 'nearest' }),
      ),
    );
    const file = writeModel(folder(), await artifactsOf(model));
    const name = model.inputNames[0] as string;
    const converted = await convertModel(file, { inputShapes: { [name]: ['N', 'H', 'W', 3] } });
    const shapes: string[] = [];
    const session = await open(converted);
    const { difference } = await verifyModel(converted, (inputs) => {
      shapes.push(`${inputs[name]?.shape}`);
      return session.run(inputs);
    });
    await session.dispose();
    expect(difference).toBeLessThan(1e-6);
    expect(shapes).toEqual(['1,64,80,3', '1,64,80,3', '2,64,80,3', '1,40,56,3']);
  });

  test('a layer that writes its result’s size where its input’s is leaves the model’s input', async () => {
    const model = unsettle(
      sequential(
        layers.centerCrop({ inputShape: [9, 7, 3], height: 5, width: 4 }),
        layers.conv2d({ filters: 2, kernelSize: 3 }),
      ),
    );
    const converted = await convertModel(writeModel(folder(), await artifactsOf(model)));
    expect([...converted.inputs.values()].map(({ shape }) => shape.slice(1))).toEqual([[9, 7, 3]]);
    const session = await open(converted);
    const { difference } = await verifyModel(converted, (inputs) => session.run(inputs));
    await session.dispose();
    expect(difference).toBeLessThan(1e-6);
  });

  test('ends at any layer, and says which there are if there is none of the name', async () => {
    const model = unsettle(twoInTwoOut());
    const file = writeModel(folder(), await artifactsOf(model));
    const hidden = model.layers.find((l) => l.getClassName() === 'Concatenate')?.name as string;
    const converted = await convertModel(file, { outputs: [hidden, 'score'] });
    expect(converted.outputs).toEqual([hidden, 'score']);
    const session = await open(converted);
    const { difference } = await verifyModel(converted, (inputs) => session.run(inputs));
    await session.dispose();
    expect(difference).toBeLessThan(1e-6);
    await expect(convertModel(file, { outputs: ['nope'] })).rejects.toThrow(
      /has no output and no layer "nope": its layers are .*score/,
    );
  });

  test('says which layer cannot be exported, and where to cut', async () => {
    const { layers: L } = tfl;
    const model = sequential(
      L.dense({ units: 4, inputShape: [3], name: 'first' }),
      L.leakyReLU({ name: 'second' }),
    );
    const file = writeModel(folder(), await artifactsOf(model));
    const { prototype } = Object.getPrototypeOf(model.layers[1]).constructor;
    const { call } = prototype;
    prototype.call = (x: tf.Tensor) =>
      tf.scalar(([x].flat()[0] as tf.Tensor).dataSync()[0] as number);
    try {
      await expect(convertModel(file)).rejects.toThrow(
        /the layer "second" \(LeakyReLU\): The values of a tensor were read while .*\. --outputs first ends the file before it\.$/,
      );
    } finally {
      prototype.call = call;
    }
  });

  test('weights as float16: half the file, the same networks within half precision', async () => {
    const model = unsettle(
      sequential(
        layers.dense({ units: 64, activation: 'relu', inputShape: [32] }),
        layers.dense({ units: 64 }),
      ),
    );
    const file = writeModel(folder(), await artifactsOf(model));
    const [whole, half] = [await convertModel(file), await convertModel(file, { float16: true })];
    const [a, b] = [whole.model.toBytes(), half.model.toBytes()];
    expect(b.length).toBeLessThan(0.6 * a.length);
    expect(inspectModel(b).inputs).toEqual(inspectModel(a).inputs);
    expect(inspectModel(b).outputs).toEqual(inspectModel(a).outputs);
    const session = await open(half);
    const { difference } = await verifyModel(half, (inputs) => session.run(inputs));
    await session.dispose();
    expect(difference).toBeGreaterThan(1e-6);
    expect(difference).toBeLessThan(2e-3);
  });

  test('verification fails where the file computes something else', async () => {
    const model = unsettle(sequential(layers.dense({ units: 3, inputShape: [4] })));
    const converted = await convertModel(writeModel(folder(), await artifactsOf(model)));
    const session = await open(converted);
    const output = converted.outputs[0] as string;
    const off = (factor: number) =>
      verifyModel(converted, async (inputs) => {
        const { [output]: y } = await session.run(inputs);
        const data = Array.from(y?.data ?? [], Number).map((v) => v * factor);
        return { [output]: { shape: y?.shape ?? [], data } };
      });
    await expect(off(1.001)).rejects.toThrow(`in its output "${output}", and 0.0001 is allowed`);
    expect((await off(1.00001)).difference).toBeCloseTo(1e-5, 6);
    await session.dispose();
  });
});

const sized = (shape: tfl.Shape, batch: number): number[] => shape.map((d) => d ?? batch);
