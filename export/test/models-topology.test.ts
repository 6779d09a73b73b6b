/** How the layers of a model are connected, in the forms that tools write, and where they do not fit. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { compare } from '../src/convert/verify.js';
import { convertModel, ExportError } from '../src/index.js';
import { artifactsOf, float32, open, scratch, wave, writeModel } from './models-files.js';

const folder = scratch();

interface Layer {
  name: string;
  inbound_nodes: unknown[];
}
interface Config {
  name: string;
  layers: Layer[];
  input_layers: unknown[];
  output_layers: unknown[];
}

const { layers } = tfl;
const image = tfl.input({ shape: [4], name: 'image' });
const hidden = layers.dense({ units: 3, activation: 'tanh', name: 'hidden' }).apply(image);
const model = tfl.model({
  inputs: image,
  outputs: layers.dense({ units: 2, name: 'output' }).apply(hidden) as tfl.SymbolicTensor,
});
model.setWeights(
  model.weights.map(({ shape }) => tf.tensor(wave(shape as number[]), shape as number[])),
);
const saved = await artifactsOf(model);
const x = float32([3, 4]);
const expected = model.predict(tf.tensor(x.data, [3, 4])) as tf.Tensor;

/** The model on disk with a changed description. */
function written(change: (config: Config) => void): string {
  const file = writeModel(folder(), saved);
  const json = JSON.parse(readFileSync(file, 'utf8'));
  change(json.modelTopology.config);
  writeFileSync(file, JSON.stringify(json));
  return file;
}

const layer = ({ layers: all }: Config, name: string) => all.find((l) => l.name === name) as Layer;

/** A tensor as Keras 3 refers to it. */
const tensor = (name: string) => ({
  class_name: '__keras_tensor__',
  config: { shape: [null, 4], dtype: 'float32', keras_history: [name, 0, 0] },
});

const FORMS: Readonly<Record<string, () => string>> = {
  'a connection without the list around it': () =>
    written((config) => {
      layer(config, 'output').inbound_nodes = [['hidden', 0, 0, {}]];
    }),
  'inputs and outputs without the lists around them': () =>
    written((config) => {
      config.input_layers = ['image', 0, 0];
      config.output_layers = ['output', 0, 0];
    }),
  'calls with arguments, as Keras 3 writes them': () =>
    written((config) => {
      for (const [name, from] of [
        ['hidden', 'image'],
        ['output', 'hidden'],
      ] as const) {
        layer(config, name).inbound_nodes = [{ args: [tensor(from)], kwargs: { mask: null } }];
      }
    }),
  'a byte order mark': () => {
    const file = writeModel(folder(), saved);
    writeFileSync(file, `\uFEFF${readFileSync(file, 'utf8')}`);
    return file;
  },
  'a percent sign in the name of the weights': () => renamed('w%1.bin', 'w%1.bin'),
  'the name of the weights as in a URL': () => renamed('my weights.bin', 'my%20weights.bin'),
};

/** The model with its weights in a file of this name, which the description writes in its own way. */
function renamed(name: string, described: string): string {
  const file = writeModel(folder(), saved);
  const json = JSON.parse(readFileSync(file, 'utf8'));
  renameSync(join(dirname(file), json.weightsManifest[0].paths[0]), join(dirname(file), name));
  json.weightsManifest[0].paths = [described];
  writeFileSync(file, JSON.stringify(json));
  return file;
}

describe('a model is read that has', () => {
  test.each(Object.entries(FORMS))('%s', async (_, write) => {
    const converted = await convertModel(write());
    const session = await open(converted);
    const y = await session.run({ image: x });
    const values = { dtype: 'float32', shape: [3, 2], data: expected.dataSync() } as const;
    expect(compare(y.output, values as never)).toBeLessThan(1e-6);
    await session.dispose();
    converted.dispose();
  });
});

const FAULTS: Readonly<Record<string, [change: (config: Config) => void, sentence: string]>> = {
  'a layer is missing': [
    (config) => {
      config.layers = config.layers.filter(({ name }) => name !== 'hidden');
    },
    'its layer "output" takes the output of "hidden", which it does not have',
  ],
  'layers take the outputs of one another': [
    (config) => {
      layer(config, 'hidden').inbound_nodes = [[['output', 0, 0, {}]]];
    },
    'its layer "hidden" takes an output of "output" that is never computed',
  ],
  'a layer takes the output of a call that is not there': [
    (config) => {
      layer(config, 'output').inbound_nodes = [[['hidden', 1, 0, {}]]];
    },
    'its layer "output" takes an output of "hidden" that is never computed',
  ],
  'two layers have one name': [
    (config) => {
      layer(config, 'hidden').name = 'output';
    },
    'two of its layers are called "output"',
  ],
  'the output is no layer': [
    (config) => {
      config.output_layers = [['result', 0, 0]];
    },
    'its output "result" is none of its layers',
  ],
};

describe('TF.js would wait for ever, or say nothing, so the layer is named if', () => {
  test.each(Object.entries(FAULTS))('%s', async (_, [change, sentence]) => {
    const error = await convertModel(written(change)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ExportError);
    expect((error as Error).message).toContain(`is not a whole model: ${sentence};`);
  });
});
