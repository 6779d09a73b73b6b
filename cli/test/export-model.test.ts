// `gpn-cli export MODEL.json`, and `inspect --ops` of what it writes.
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { train } from '@gpn/training';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { artifactsOf, scratch, wave, writeModel } from '../../export/test/models-files.js';
import { checkpointIn, smallRun } from '../../training/test/small-run.js';
import { main } from '../src/main.js';

const folder = scratch();
let file: string;
let out: string;
let printed: { stdout: string; stderr: string };

// Each command listens for a reader that leaves early: a process runs one, this file a dozen.
process.stdout.setMaxListeners(50);

beforeEach(async () => {
  const { layers } = tfl;
  const model = tfl.sequential({
    layers: [
      layers.conv2d({ inputShape: [null, 8, 1], filters: 2, kernelSize: 3, name: 'conv' }),
      layers.globalAveragePooling2d({ name: 'out' }),
    ],
  });
  model.setWeights(
    model.weights.map(({ shape }) => tf.tensor(wave(shape as number[]), shape as number[])),
  );
  file = writeModel(folder(), await artifactsOf(model));
  out = join(folder(), 'model.onnx');
  printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      printed[stream] += text;
      return true;
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

const given = ['--input-shape', 'conv_input=Nx9x8x1'];

describe('export MODEL.json', () => {
  test('writes a file that equals the model, and prints the largest difference', async () => {
    expect(await main(['export', file, '-o', out, ...given])).toBe(0);
    expect(printed.stdout).toMatch(
      /^Largest difference from TF\.js at batches of 1 and 2: \d\.\de[+-]\d+ of .* \(output out\)\nWrote the layers model to .*model\.onnx \(0\.0 MB\)\n$/,
    );
    expect(readdirSync(dirname(out))).toEqual(['model.onnx']);
    printed.stdout = '';
    expect(await main(['inspect', '--ops', out])).toBe(0);
    expect(printed.stdout).toMatch(/^\s*1 {2}\w+\n/m);
    expect(printed.stdout).toMatch(/1 {2}Conv\n/);
    expect(printed.stdout).toMatch(/\d+ {2}in all\n$/);
    printed.stdout = '';
    expect(await main(['inspect', '--ops', '--json', out])).toBe(0);
    expect(JSON.parse(printed.stdout)).toMatchObject({ Conv: 1 });
  });

  test('skips the comparison with --no-verify, and accepts --float16', async () => {
    expect(
      await main(['export', dirname(file), '-o', out, ...given, '--no-verify', '--float16']),
    ).toBe(0);
    expect(printed.stdout).toMatch(/^Wrote the layers model to .*\n$/);
  });

  test('leaves sizes free that have letters, and ends where --outputs says', async () => {
    const free = ['--input-shape', 'conv_input=NxHx8x1', '--outputs', 'conv,out'];
    expect(await main(['export', file, '-o', out, ...free])).toBe(0);
    printed.stdout = '';
    expect(await main(['inspect', '--json', out])).toBe(0);
    expect(printed.stdout.replaceAll(/\s/g, '')).toContain('["N","H",8,1]');
    expect(printed.stdout).toContain('"conv"');
  });

  const rows: [string, () => string[], RegExp][] = [
    [
      'a missing size',
      () => [file],
      /conv_input" \[\?, \?, 8, 1\].*--input-shape conv_input=1x64x8x1/,
    ],
    [
      'an unreadable shape',
      () => [file, '--input-shape', 'conv_input=big'],
      /"conv_input=big" cannot be read/,
    ],
    [
      'a shape that does not fit',
      () => [file, '--input-shape', 'conv_input=1x9x9x1'],
      /\[1, 9, 9, 1\]/,
    ],
    [
      'a shape for an unknown input',
      () => [file, '--input-shape', 'image=1x9x8x1'],
      /no input "image"/,
    ],
    [
      'a missing model',
      () => [join(dirname(file), 'missing.json')],
      /missing\.json: there is no such file/,
    ],
    [
      'damaged weights',
      () => {
        truncateSync(join(dirname(file), 'group1-shard1of1.bin'), 9);
        return [file, ...given];
      },
      /group1-shard1of1\.bin is truncated/,
    ],
    ['an unknown output', () => [file, ...given, '--outputs', 'nope'], /no layer "nope"/],
    ['an input to fix that is none', () => [file, ...given, '--fix', 'p=1'], /no input "p" to fix/],
    ['a Keras file', () => [join(dirname(out), 'model.h5')], /is a Keras file, .*model\.json that/],
    [
      'a model from before TF.js 1.0',
      () => [join(dirname(out), 'tensorflowjs_model.pb')],
      /is a model of TensorFlow\.js before 1\.0/,
    ],
    ['--fix with a run', () => [dirname(out), '--fix', 'a=1'], /--fix is for TF\.js models/],
    ['--network with a TF.js model', () => [file, '--network', 'generator'], /--network/],
    [
      '--input-shape with a run',
      () => [dirname(out), '--input-shape', 'a=1'],
      /--input-shape is for TF\.js models/,
    ],
  ];

  test.each(rows)(
    'answers %s with one sentence, exit code 2 and no file',
    async (_, args, sentence) => {
      expect(await main(['export', ...args(), '-o', out])).toBe(2);
      expect(printed.stderr).toMatch(/^gpn-cli: [^\n]+\.\n$/);
      expect(printed.stderr).toMatch(sentence);
      expect(printed.stdout).toBe('');
      expect(readdirSync(dirname(out))).toEqual([]);
    },
  );

  test('answers an output path that cannot be written to with one sentence and exit code 2', async () => {
    mkdirSync(out);
    expect(await main(['export', file, ...given, '-o', out])).toBe(2);
    expect(printed.stderr).toMatch(
      /^gpn-cli: Cannot write .*model\.onnx \(--output\): it is a folder.*\.\n$/,
    );
    rmSync(out, { recursive: true });
    expect(await main(['export', file, ...given, '-o', '/proc/model.onnx'])).toBe(2);
    expect(printed.stderr).toMatch(/Cannot write \/proc\/model\.onnx .*\.\n$/);
  });
});

test('a checkpoint is a source like its run, and weights of another kind are refused', async () => {
  const run = join(folder(), 'run');
  const recipe = await smallRun(join(folder(), 'pictures'), 2, 2);
  await train(recipe, { out: run, device: 'cpu', threads: 1 });
  const checkpoint = checkpointIn(run, 2);
  expect(await main(['export', run, '-o', out])).toBe(0);
  const ofCheckpoint = join(folder(), 'of-checkpoint.onnx');
  expect(await main(['export', checkpoint, '-o', ofCheckpoint])).toBe(0);
  expect(readFileSync(ofCheckpoint)).toEqual(readFileSync(out));
  const weights = join(folder(), 'weights.safetensors');
  writeFileSync(weights, 'of another library');
  expect(await main(['export', weights, '-o', out])).toBe(2);
  expect(printed.stderr).toMatch(/weights\.safetensors is not a usable safetensors file: /);
});
