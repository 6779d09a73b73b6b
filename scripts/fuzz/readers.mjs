/**
 * Every reader of files: `seeds`, good inputs as bytes, and `read`, which takes an input and ends in
 * a result or in a sentence for the user. `json` and `lines` say how an input is changed by its
 * structure, too.
 */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPicture } from '../../cli/dist/pictures.js';
import { convertModel, inspectModel } from '../../export/dist/index.js';
import { STRICT } from '../../runtime/dist/format/limits.js';
import { readNpy } from '../../runtime/dist/format/npy.js';
import { metadataOf, withMetadata } from '../../runtime/dist/format/onnx/metadata.js';
import {
  Generator,
  loadModel,
  readModelInfo,
  withModelInfo,
  writeNpy,
} from '../../runtime/dist/node/index.js';
import { parseIdx } from '../../training/dist/data/format/idx.js';
import { loadFolder } from '../../training/dist/data/sets/folder.js';
import { protocolHash } from '../../training/dist/evaluation/scorecard/protocol.js';
import { parseEvaluation } from '../../training/dist/evaluation/scorecard/result-file.js';
import { readMetricsLog } from '../../training/dist/files/metrics-log.js';
import { encodeSafetensors } from '../../training/dist/files/safetensors.js';
import { readSafetensors } from '../../training/dist/files/safetensors-file.js';
import { parseRecipe } from '../../training/dist/recipe/yaml.js';

const root = new URL('../../', import.meta.url);
const own = (path) => readFileSync(new URL(path, root));
const folder = mkdtempSync(join(tmpdir(), 'gpn-fuzz-'));
export const scratch = folder;

/** Writes an input to a file of the scratch folder. */
const written = (name, bytes) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

const idx = (shape) => {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([
    header,
    Buffer.alloc(
      shape.reduce((a, b) => a * b, 1),
      7,
    ),
  ]);
};

const { default: sharp } = await import('sharp');
const picture = (format) =>
  sharp(Buffer.alloc(24 * 16 * 3, 90), { raw: { width: 24, height: 16, channels: 3 } })
    .toFormat(format)
    .toBuffer();

/** A layers model of one dense layer and one of convolutions, as TF.js saves them. */
const layer = (class_name, config) => ({ class_name, config: { trainable: true, ...config } });
const topology = (layers) => ({
  keras_version: 'tfjs-layers 4.22.0',
  backend: 'tensor_flow.js',
  model_config: { class_name: 'Sequential', config: { name: 'm', layers } },
});
const TFJS = {
  format: 'layers-model',
  generatedBy: 'test',
  convertedBy: null,
  modelTopology: topology([
    layer('Dense', {
      units: 4,
      activation: 'relu',
      use_bias: true,
      name: 'd',
      batch_input_shape: [null, 3],
      dtype: 'float32',
    }),
    layer('Reshape', { target_shape: [2, 2, 1], name: 'r' }),
    layer('UpSampling2D', { size: [2, 2], data_format: 'channels_last', name: 'u' }),
    layer('Conv2D', {
      filters: 1,
      kernel_size: [1, 1],
      strides: [1, 1],
      padding: 'same',
      activation: 'linear',
      use_bias: false,
      data_format: 'channels_last',
      dilation_rate: [1, 1],
      name: 'c',
    }),
    layer('Flatten', { name: 'f' }),
  ]),
  weightsManifest: [
    {
      paths: ['w.bin'],
      weights: [
        { name: 'd/kernel', shape: [3, 4], dtype: 'float32' },
        { name: 'd/bias', shape: [4], dtype: 'float32' },
        { name: 'c/kernel', shape: [1, 1, 1, 1], dtype: 'float32' },
      ],
    },
  ],
};
const WEIGHTS = Buffer.from(new Float32Array(17).fill(0.25).buffer);

const tensors = new Map([
  ['a', { dtype: 'F32', shape: [2, 3], data: new Float32Array(6).fill(1) }],
  ['b', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) }],
]);

/** The same network as a generator of 4×4 pixels: 1 KB, so that changes hit more than weights. */
async function smallModel() {
  written('w.bin', WEIGHTS);
  const image = structuredClone(TFJS);
  image.modelTopology.model_config.config.layers.pop();
  const converted = await convertModel(written('model.json', JSON.stringify(image)));
  const [input] = converted.inputs.keys();
  const [output] = converted.outputs;
  const bytes = converted.model.toBytes();
  converted.dispose();
  return withModelInfo(bytes, {
    version: 1,
    name: 'small',
    kind: 'generator',
    input,
    output,
    image: { height: 4, width: 4, channels: 1, range: [-1, 1], layout: 'NHWC', color: 'gray' },
    latent: { size: 3, distribution: 'normal' },
    training: {
      recipe: 'x',
      dataset: { name: 'x', hash: 'x' },
      steps: 1,
      epochs: 1,
      seed: 1,
      versions: { gpn: '0' },
    },
  });
}

const MODEL = await smallModel();
const JSON_TEXT = (bytes) => JSON.parse(bytes.toString());

const PROTOCOL = {
  version: 1,
  data: { name: 'x', hash: 'x', count: 10, part: 'test' },
  features: { name: 'x', sha256: 'x', size: 4, range: [0, 1] },
  samples: 10,
  seeds: [0, 1],
  neighbours: 3,
  kernelBlock: 10,
  compared: 10,
  random: 'threefry2x32-20',
};
const RESULT = Buffer.from(
  JSON.stringify({
    version: 1,
    model: { name: 'x' },
    protocol: PROTOCOL,
    protocolHash: protocolHash(PROTOCOL),
    scores: { frechet: { value: 1, interval: [0, 2], seeds: [1, 1] } },
    notes: [],
  }),
);

/** The metadata entry alone is changed; the graph stays. */
const ENTRY = Buffer.from(metadataOf(MODEL).gpn);

export const READERS = {
  metadata: {
    seeds: [ENTRY],
    json: JSON_TEXT,
    read: (bytes) => readModelInfo(withMetadata(MODEL, 'gpn', bytes.toString())),
  },
  inspect: {
    seeds: [MODEL],
    read: (bytes) => {
      metadataOf(bytes);
      // The command turns any error of the parser into a sentence.
      try {
        inspectModel(bytes);
      } catch {}
    },
  },
  model: {
    seeds: [MODEL],
    // As a server would: what it cannot bound is refused before it is opened.
    read: async (bytes) => {
      const model = await loadModel(bytes, {
        device: 'cpu',
        threads: 1,
        limits: STRICT,
        worker: false,
      });
      await model.dispose();
    },
  },
  drawing: {
    seeds: [MODEL],
    read: async (bytes) => {
      const model = await Generator.load(bytes, {
        device: 'cpu',
        threads: 1,
        limits: STRICT,
        worker: false,
      });
      try {
        await model.sample({ count: 2 });
      } finally {
        await model.dispose();
      }
    },
  },
  npy: { seeds: [writeNpy(new Float32Array(12), [3, 4])], read: (bytes) => readNpy(bytes) },
  idx: { seeds: [idx([3, 4, 5]), idx([7])], read: (bytes) => parseIdx(bytes, 'x.idx') },
  'idx folder': {
    seeds: [idx([3, 8, 8])],
    read: (bytes) => {
      mkdirSync(join(folder, 'idx'), { recursive: true });
      written('idx/train-images-idx3-ubyte', bytes);
      return loadFolder(join(folder, 'idx'), { height: 8, width: 8, channels: 1, split: 'train' });
    },
  },
  cifar: {
    seeds: [Buffer.alloc(3073 * 2, 3)],
    read: (bytes) => {
      mkdirSync(join(folder, 'cifar'), { recursive: true });
      written('cifar/test_batch.bin', bytes);
      return loadFolder(join(folder, 'cifar'), {
        height: 32,
        width: 32,
        channels: 3,
        split: 'test',
      });
    },
  },
  picture: {
    seeds: await Promise.all(['png', 'jpeg', 'webp', 'gif', 'tiff'].map(picture)),
    read: (bytes) => readPicture(written('picture', bytes)),
  },
  'picture folder': {
    seeds: await Promise.all(['png', 'jpeg', 'webp'].map(picture)),
    read: (bytes) => {
      mkdirSync(join(folder, 'pictures'), { recursive: true });
      written('pictures/a.png', bytes);
      return loadFolder(join(folder, 'pictures'), {
        height: 8,
        width: 8,
        channels: 3,
        split: 'train',
      });
    },
  },
  recipe: {
    seeds: ['dcgan-mnist', 'infogan-mnist', 'gpn-mnist'].map((name) =>
      own(`training/recipes/${name}.yml`),
    ),
    lines: true,
    read: (bytes) => parseRecipe(bytes.toString(), 'x.yml'),
  },
  safetensors: {
    seeds: [Buffer.from(encodeSafetensors(tensors, { format: 'pt' }))],
    read: (bytes) => readSafetensors(written('x.safetensors', bytes)),
  },
  log: {
    seeds: [Buffer.from('{"step":1,"loss":0.5}\n{"step":2,"loss":null}\n')],
    read: (bytes) => readMetricsLog(written('metrics.jsonl', bytes)),
  },
  result: {
    seeds: [RESULT],
    json: JSON_TEXT,
    read: (bytes) => parseEvaluation(bytes.toString(), 'x.json'),
  },
  'TF.js model': {
    seeds: [Buffer.from(JSON.stringify(TFJS))],
    json: JSON_TEXT,
    read: async (bytes) => {
      written('w.bin', WEIGHTS);
      const converted = await convertModel(written('model.json', bytes));
      converted.dispose();
    },
  },
};
