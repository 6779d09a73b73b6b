/** What a user can get wrong: one sentence, exit code 2, no stack, nothing left behind. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gpn, listing, scratchFolder } from './cli.js';
import { root } from './imports.js';

const folder = scratchFolder();

/** An IDX file of bytes: magic 0, 0, 8 (unsigned byte), rank; sizes in big-endian; the data. */
function idx(shape: number[], length = shape.reduce((a, b) => a * b, 1)): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([header, Buffer.alloc(length)]);
}

/** A folder with MNIST's four file names. */
function idxFolder(name: string, trainImages: Uint8Array, trainLabels: Uint8Array): void {
  mkdirSync(join(folder, name));
  const files = {
    'train-images-idx3-ubyte': trainImages,
    'train-labels-idx1-ubyte': trainLabels,
    't10k-images-idx3-ubyte': idx([2, 28, 28]),
    't10k-labels-idx1-ubyte': idx([2]),
  };
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(folder, name, file), bytes);
}

beforeAll(() => {
  const write = (name: string, content: string) => writeFileSync(join(folder, name), content);
  write('notes.txt', 'not a folder');
  write('text.onnx', 'This is no ONNX model.');
  write('empty.onnx', '');
  const recipe = readFileSync(join(root, 'training/recipes/dcgan-mnist.yml'), 'utf8');
  write('unknown-key.yml', recipe.replace('label_smoothing', 'label_smothing'));
  write('wrong-value.yml', recipe.replace(/batch_size: .*/, 'batch_size: many'));
  write('broken.yml', 'name: [dcgan-mnist\n');
  mkdirSync(join(folder, 'folder.png'));
  mkdirSync(join(folder, 'photos'));
  write('photos/broken.png', 'This is no picture.');
  idxFolder('truncated', idx([200, 28, 28], 1000), idx([200]));
  idxFolder('small', idx([200, 28, 28]), idx([200]));
  idxFolder('mismatched', idx([200, 28, 28]), idx([199]));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sample = ['sample', '--model', 'dcgan-mnist.onnx'];
const train = ['train', 'dcgan-mnist', '--device', 'cpu', '--steps', '1', '--out', 'run'];

/** What is wrong, the command, and what its sentence must name. */
const rows: [mistake: string, args: string[], names: RegExp][] = [
  ['an unknown command', ['smaple'], /smaple.*sample/],
  ['an unknown option', [...sample, '--cuont', '3'], /--cuont.*--count/],
  ['one argument too many', ['inspect', 'a.onnx', 'b.onnx'], /inspect.*2/],
  ['no model', ['sample'], /--model/],
  ['no recipe', ['train'], /recipe/],
  ['no images', [...sample, '--count', '0'], /--count.*whole number from 1/],
  ['half an image', [...sample, '--count', '1.5'], /--count.*whole number/],
  ['a negative seed', [...sample, '--seed', '-1'], /--seed.*whole number from 0/],
  ['a seed that a double cannot hold', [...sample, '--seed', '9007199254740993'], /--seed/],
  ['a number in words', [...train, '--steps', 'abc'], /--steps.*abc.*whole number/],
  ['both epochs and steps', [...train, '--epochs', '2'], /--epochs.*--steps/],
  ['no threads', [...train, '--threads', '0'], /--threads.*whole number from 1/],
  ['an unknown device', [...sample, '--device', 'gpu'], /--device.*auto, cpu, wasm, webgpu, cuda/],
  ['a model that is not there', ['sample', '--model', 'nowhere.onnx'], /nowhere\.onnx/],
  ['a model that is text', ['sample', '--model', 'text.onnx'], /text\.onnx.*ONNX/],
  ['an empty model', ['sample', '--model', 'empty.onnx'], /empty\.onnx/],
  ['a picture of unknown form', [...sample, '--out', 'digits.bmp'], /digits\.bmp.*\.png/],
  ['a file inside a file', [...sample, '--out', 'notes.txt/a.png'], /notes\.txt.*folder/],
  ['a path that nothing can be made in', [...sample, '--out', '/proc/a.png'], /\/proc/],
  ['a folder over a file', [...sample, '--out', 'notes.txt/'], /notes\.txt.*file/],
  ['inspecting text', ['inspect', 'text.onnx'], /text\.onnx.*ONNX/],
  ['inspecting nothing', ['inspect', 'nowhere.onnx'], /nowhere\.onnx/],
  ['inspecting a folder', ['inspect', 'photos'], /photos/],
  ['exporting no run', ['export', 'nowhere', '-o', 'a.onnx'], /nowhere/],
  ['exporting an empty run', ['export', 'photos', '-o', 'a.onnx'], /photos/],
  ['exporting to nowhere', ['export', 'photos', '-o', 'notes.txt/a.onnx'], /notes\.txt/],
  ['an unknown network', ['export', 'photos', '--network', 'critic', '-o', 'a.onnx'], /--network/],
  ['an unknown recipe', ['train', 'dcgan-mnits', '--out', 'run'], /dcgan-mnits.*dcgan-mnist/],
  [
    'an unknown key in a recipe',
    ['train', 'unknown-key.yml', '--out', 'run'],
    /unknown-key\.yml, line \d+.*label_smothing.*label_smoothing/,
  ],
  [
    'a wrong value in a recipe',
    ['train', 'wrong-value.yml', '--out', 'run'],
    /wrong-value\.yml, line \d+.*batch_size.*many/,
  ],
  ['a recipe that is no YAML', ['train', 'broken.yml', '--out', 'run'], /broken\.yml/],
  ['data that is not there', [...train, '--data', 'nowhere'], /nowhere/],
  ['a truncated IDX file', [...train, '--data', 'truncated'], /train-images-idx3-ubyte/],
  ['fewer labels than images', [...train, '--data', 'mismatched'], /199.*200|200.*199/],
  ['an unreadable image', [...train, '--data', 'photos'], /broken\.png/],
  ['a run inside a file', [...train.slice(0, -1), 'notes.txt/run'], /notes\.txt/],
];

if (!existsSync('/dev/nvidia0'))
  rows.push([
    'a device that is not there',
    [...train, '--data', 'small', '--device', 'cuda'],
    /device cuda.*NVIDIA/,
  ]);

describe('gpn-cli prints one sentence and exits with 2', () => {
  test.each(rows)('for %s', (_, args, names) => {
    const before = listing(folder);
    const { code, stdout, stderr } = gpn(folder, ...args);
    expect(stderr).toMatch(/^gpn-cli: [^\n]+\n$/);
    expect(stderr).toMatch(names);
    expect(stdout).toBe('');
    expect(code).toBe(2);
    expect(listing(folder)).toEqual(before);
  });
});
