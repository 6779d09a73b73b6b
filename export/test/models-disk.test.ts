/** What is read from disk: quantised weights and shards, and every way in which files can be bad. */
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { io } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { compare } from '../src/convert/verify.js';
import { convertModel, ExportError, parseInputShape } from '../src/index.js';
import { toFloat16 } from '../src/passes/float16.js';
import { artifactsOf, float32, open, scratch, wave, writeModel } from './models-files.js';

const folder = scratch();

/** Two dense layers: 4·6 + 6 + 6·2 + 2 = 44 weights. */
let model: io.ModelArtifacts;
beforeAll(async () => {
  const { layers } = tfl;
  const net = tfl.sequential({
    layers: [
      layers.dense({ units: 6, activation: 'tanh', inputShape: [4], name: 'hidden' }),
      layers.dense({ units: 2, name: 'out' }),
    ],
  });
  net.setWeights(
    net.weights.map(({ shape }) => tf.tensor(wave(shape as number[]), shape as number[])),
  );
  model = await artifactsOf(net);
});

const STEPS = { uint8: 255, uint16: 65535 };

/** The weights as tensorflowjs_converter stores them: integer steps from a minimum, or halves. */
function quantised(dtype: 'uint8' | 'uint16' | 'float16'): io.ModelArtifacts {
  const all = new Float32Array(model.weightData as ArrayBuffer);
  const parts: Uint8Array[] = [];
  let at = 0;
  const weightSpecs = (model.weightSpecs ?? []).map((spec) => {
    const values = all.slice(at, at + tf.util.sizeFromShape(spec.shape));
    at += values.length;
    if (dtype === 'float16') {
      parts.push(new Uint8Array(toFloat16(values).buffer));
      return { ...spec, quantization: { dtype } };
    }
    const min = Math.min(...values);
    const scale = (Math.max(...values) - min) / STEPS[dtype];
    const steps = values.map((v) => Math.round((v - min) / scale));
    parts.push(new Uint8Array((dtype === 'uint8' ? Uint8Array : Uint16Array).from(steps).buffer));
    return { ...spec, quantization: { dtype, min, scale } };
  });
  return {
    ...model,
    weightSpecs,
    weightData: Uint8Array.from(parts.flatMap((p) => [...p])).buffer,
  };
}

describe('weights of a model on disk', () => {
  test.each([
    ['uint8', 2e-2],
    ['uint16', 1e-4],
    ['float16', 1e-3],
  ] as const)('quantised as %s are read as TF.js reads them', async (dtype, near) => {
    const artifacts = quantised(dtype);
    const converted = await convertModel(writeModel(folder(), artifacts, 3));
    const session = await open(converted);
    const input = float32([5, 4]);
    const ours = (await session.run({ hidden_input: input })).out;
    await session.dispose();
    for (const [original, tolerance] of [
      [artifacts, 1e-6],
      [model, near],
    ] as const) {
      const theirs = await tfl.loadLayersModel({ load: async () => original });
      const y = theirs.predict(tf.tensor(input.data, [5, 4])) as tf.Tensor;
      const expected = {
        dtype: 'float32',
        shape: y.shape,
        data: y.dataSync() as Float32Array,
      } as const;
      expect(compare(ours, expected)).toBeLessThan(tolerance);
    }
  });

  test('a folder stands for the model.json in it, and an old file needs no format', async () => {
    const { format: _, ...old } = model;
    const converted = await convertModel(dirname(writeModel(folder(), old)));
    expect(converted.kind).toBe('layers');
    expect([...converted.inputs.keys()]).toEqual(['hidden_input']);
  });
});

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 176\n`;

/** What is done to a good model of three shards, and what the sentence must say. */
const rows: [string, (file: string) => void, RegExp][] = [
  ['no file', (file) => rmSync(file), /^Cannot read .*model\.json: there is no such file\.$/],
  [
    'a missing shard',
    (file) => rmSync(join(dirname(file), 'group1-shard2of3.bin')),
    /^Cannot read the weight file .*group1-shard2of3\.bin: there is no such file; .*\.$/,
  ],
  [
    'a truncated shard',
    (file) => truncateSync(join(dirname(file), 'group1-shard2of3.bin'), 10),
    /^The weight file .*group1-shard2of3\.bin is truncated: .* 176 bytes .* 127.*\.$/,
  ],
  [
    'a truncated last shard',
    (file) => truncateSync(join(dirname(file), 'group1-shard3of3.bin'), 0),
    /^The weight file .*group1-shard3of3\.bin is truncated.*\.$/,
  ],
  [
    'weights of another model',
    (file) => writeFileSync(join(dirname(file), 'group1-shard1of3.bin'), new Uint8Array(999)),
    /belong to another model\.$/,
  ],
  [
    'a shard that is a folder',
    (file) => {
      rmSync(join(dirname(file), 'group1-shard1of3.bin'));
      mkdirSync(join(dirname(file), 'group1-shard1of3.bin'));
    },
    /group1-shard1of3\.bin/,
  ],
  [
    'a pointer of Git LFS in place of a shard',
    (file) => writeFileSync(join(dirname(file), 'group1-shard2of3.bin'), POINTER),
    /^.*group1-shard2of3\.bin is a pointer of Git LFS in place of the file: run `git lfs pull`\.$/,
  ],
  [
    'a pointer of Git LFS in place of the model.json',
    (file) => writeFileSync(file, POINTER),
    /^.*model\.json is a pointer of Git LFS in place of the file: run `git lfs pull`\.$/,
  ],
  [
    'half a model.json',
    (file) => truncateSync(file, 200),
    /^.*model\.json is not valid JSON \(.*\): it is damaged, or not a TF\.js model\.$/,
  ],
  [
    'other JSON',
    (file) => writeFileSync(file, '{"a": 1}'),
    /is not a TF\.js model: it has no "modelTopology"/,
  ],
  ['JSON that is no object', (file) => writeFileSync(file, '[1, 2]'), /is not a TF\.js model/],
  [
    'an unknown format',
    (file) => edit(file, (json) => ({ ...json, format: 'tflite' })),
    /format "tflite", which is not known here: .*layers-model and graph-model\.$/,
  ],
  [
    'no manifest',
    (file) => edit(file, ({ weightsManifest: _, ...json }) => json),
    /"weightsManifest" is missing or damaged\.$/,
  ],
  [
    'an unknown layer',
    (file) =>
      writeFileSync(
        file,
        readFileSync(file, 'utf8').replace('"class_name":"Dense"', '"class_name":"Lambda"'),
      ),
    /^TF\.js cannot load .*Lambda.*\.$/,
  ],
  [
    'a weight without a layer',
    (file) =>
      writeFileSync(
        file,
        readFileSync(file, 'utf8').replace('"name":"out/kernel"', '"name":"in/kernel"'),
      ),
    /^TF\.js cannot load .*in\/kernel.*\.$/,
  ],
];

function edit(file: string, change: (json: Record<string, unknown>) => object): void {
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')))));
}

describe('convertModel says in one sentence what is wrong with a model', () => {
  test.each(rows)('if there is %s', async (_, spoil, sentence) => {
    const file = writeModel(folder(), model, 3);
    spoil(file);
    const error = await convertModel(file).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ExportError);
    expect((error as Error).message).toMatch(sentence);
    expect((error as Error).message).not.toContain('\n');
  });

  test.each(['image', '=1x2', 'image=1x-2', 'image=axb', 'image=1x0', 'image=1.5'])(
    'the shape "%s"',
    (text) => {
      expect(() => parseInputShape(text)).toThrow(`"${text}" cannot be read: write it as`);
    },
  );

  test('shapes that can be read', () => {
    expect(parseInputShape('image=1x64x96x3')).toEqual(['image', [1, 64, 96, 3]]);
    expect(parseInputShape('a=b:0=Nx7')).toEqual(['a=b', ['N', 7]]);
    expect(parseInputShape('image=NxHxW2x3')).toEqual(['image', ['N', 'H', 'W2', 3]]);
    expect(parseInputShape('scalar=')).toEqual(['scalar', []]);
  });
});

test('sizes that no memory holds are said in one sentence when the original runs', async () => {
  const { layers } = tfl;
  const huge = tfl.sequential({
    layers: [layers.upSampling2d({ size: [100_000, 100_000], inputShape: [4, 4, 3] })],
  });
  const converted = await convertModel(writeModel(folder(), await artifactsOf(huge)));
  const [name] = converted.inputs.keys();
  const input = float32([1, 4, 4, 3]);
  await expect(converted.run({ [name as string]: input })).rejects.toThrow(
    /cannot be run by TF\.js: a tensor of it is larger than the memory \(.*\); check the sizes/,
  );
});
