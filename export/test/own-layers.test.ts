/** Layers that TF.js knows by classes of the user's own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { main } from '../src/command/main.js';
import { convertModel, type OwnLayers } from '../src/index.js';
import { artifactsOf, float32, open, scratch, writeModel } from './models-files.js';

const folder = scratch();
/** Each test has a class of its own, because TF.js keeps those that it got. */
let name: string;
let count = 0;
beforeEach(() => {
  count += 1;
  name = `Scaled${count}`;
});

/** A module's text, whose layer multiplies by the `by` of its configuration. */
const source = (): string => `export default (tf) => [
  class extends tf.layers.Layer {
    static className = '${name}';
    constructor(config) { super(config); this.by = config.by; }
    call(inputs) { return tf.mul([inputs].flat()[0], this.by); }
  },
];`;

const written = (text: string): string => {
  const file = join(folder(), 'layers.mjs');
  writeFileSync(file, text);
  return file;
};

const own = async (): Promise<OwnLayers> => (await import(written(source()))).default;

/** A dense layer, and one that TF.js does not know: the model.json, and what the first gives. */
async function saved(by: number) {
  const net = sequential({ layers: [layers.dense({ units: 3, inputShape: [4], name: 'first' })] });
  const artifacts = await artifactsOf(net);
  const topology = artifacts.modelTopology as { config: { layers: object[] } };
  topology.config.layers.push({
    class_name: name,
    config: { name: 'scaled', trainable: true, dtype: 'float32', by },
  });
  const x = float32([2, 4]);
  const y = net.predict(tf.tensor2d(x.data as Float32Array, [2, 4])) as tf.Tensor;
  return { file: writeModel(folder(), artifacts), x, first: y.dataSync() };
}

describe('a layer that TF.js does not know', () => {
  test('is refused by its class, with the remedy', async () => {
    const { file } = await saved(3);
    await expect(convertModel(file)).rejects.toThrow(
      `it knows no layer of the class "${name}": give the class with --layers FILE.mjs`,
    );
  });

  test.each<[how: string, use: (given: OwnLayers) => OwnLayers]>([
    ['given', (given) => given],
    [
      'handed to registerClass',
      (given) => (all) => {
        for (const each of given(all) as never[]) all.serialization.registerClass(each);
      },
    ],
  ])('is exported by its class, %s', async (_, use) => {
    const { file, x, first } = await saved(-2.5);
    const converted = await convertModel(file, { layers: use(await own()) });
    const session = await open(converted);
    const { [converted.outputs[0] as string]: y } = await session.run({
      [session.inputNames[0] as string]: x,
    });
    await session.dispose();
    converted.dispose();
    Array.from(first).forEach((value, i) => {
      expect(Number(y?.data[i])).toBeCloseTo(-2.5 * value, 5);
    });
  });

  test.each<[mistake: string, given: OwnLayers, sentence: RegExp]>([
    ['no class', () => [7], /no class of a layer: each needs a static className/],
    ['a class without a name', () => [class {}], /no class of a layer/],
    [
      'an error',
      () => {
        throw new Error('No such thing. More');
      },
      /^The function of own layers failed: No such thing\.$/,
    ],
  ])('is refused if its function gives %s', async (_, given, sentence) => {
    const { file } = await saved(1);
    await expect(convertModel(file, { layers: given })).rejects.toThrow(sentence);
  });
});

describe('--layers', () => {
  async function run(model: string, file: string) {
    let stderr = '';
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      stderr += text;
      return true;
    });
    try {
      const code = await main([model, '-o', join(folder(), 'm.onnx'), '--layers', file]);
      return { code, stderr };
    } finally {
      out.mockRestore();
      err.mockRestore();
    }
  }

  test('runs the file, and compares with TF.js', async () => {
    const { file } = await saved(2);
    expect(await run(file, written(source()))).toEqual({ code: 0, stderr: '' });
  });

  test.each<[mistake: string, file: () => string, sentence: RegExp]>([
    [
      'a file that is missing',
      () => join(folder(), 'none.mjs'),
      /none\.mjs .*there is no such file/,
    ],
    ['a folder', () => folder(), /Cannot run .* \(--layers\): /],
    ['a file that is no module', () => written('class {'), /Cannot run .* \(--layers\): /],
    ['a module that fails', () => written('throw new Error("Oh")'), /\(--layers\): Oh\.$/m],
    ['a module that lacks one', () => written('import "./none.mjs"'), /Cannot find module/],
    ['no default export', () => written('export const a = 1'), /no function as its default export/],
  ])('answers %s with a sentence', async (_, path, sentence) => {
    const { file } = await saved(2);
    const { code, stderr } = await run(file, path());
    expect(stderr).toMatch(/^gpn-export: [^\n]+\n$/);
    expect(stderr).toMatch(sentence);
    expect(code).toBe(2);
  });

  test('is refused for a graph', async () => {
    const model = join(folder(), 'graph');
    mkdirSync(model);
    const node = (op: string, more: object) => ({
      name: op,
      op,
      attr: { dtype: { type: 'DT_FLOAT' } },
      ...more,
    });
    const shape = { shape: { dim: [{ size: '2' }] } };
    const file = writeModel(model, {
      format: 'graph-model',
      modelTopology: {
        node: [
          node('Placeholder', { attr: { dtype: { type: 'DT_FLOAT' }, shape } }),
          { name: 'y', op: 'Relu', input: ['Placeholder'], attr: { T: { type: 'DT_FLOAT' } } },
        ],
      },
      weightData: new ArrayBuffer(0),
    });
    const { code, stderr } = await run(file, written(source()));
    expect(stderr).toMatch(/is a graph, without layers: leave out --layers\.\n$/);
    expect(code).toBe(2);
  });
});
