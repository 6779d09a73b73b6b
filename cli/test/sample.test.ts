// Classes, codes and videos of the built command, on models whose output is a simple sum.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathOf, readNpy } from '@gpn/runtime';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { expectClose } from '../../runtime/test/helpers.js';
import { conditionalFile, GENERATOR, generate, generatorFile } from '../../runtime/test/tiny.js';
import { gpn, listing, scratchFolder } from '../../test/cli.js';

const folder = scratchFolder();
const at = (name: string) => join(folder, name);
const run = (...args: string[]) => gpn(folder, ...args);

beforeAll(() => {
  writeFileSync(at('g.onnx'), generatorFile());
  writeFileSync(at('c.onnx'), conditionalFile(['flat', 'edgy', 'round']));
});
afterEach(() => void vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// The conditional model draws its class and its codes in the first three of 2×3 pixels.
const cells = (name: string, ...args: string[]) => {
  const { code, stderr } = run('sample', '--model', 'c.onnx', '--out', name, ...args);
  expect(code, stderr).toBe(0);
  const { shape, data } = readNpy(readFileSync(at(name)));
  return Array.from({ length: shape[0] as number }, (_, k) => [...data.slice(6 * k, 6 * k + 3)]);
};

test('sample draws a class by number or name, classes in turn, or a row for each class', async () => {
  const classes = (...args: string[]) => cells('c.npy', ...args).map(([label]) => label);
  expect(classes('--label', '1', '--count', '3')).toEqual([1, 1, 1]);
  expect(classes('--category', 'Round', '--count', '2')).toEqual([2, 2]);
  expect(classes('--count', '4')).toEqual([0, 1, 2, 0]);
  expect(classes('--label', 'all', '--count', '2')).toEqual([0, 0, 1, 1, 2, 2]);
  expect(classes()).toEqual([0, 1, 2].flatMap((label) => Array(10).fill(label)));
  expect(run('sample', '--model', 'c.onnx', '--out', 'c.png').code).toBe(0);
  const { width, height } = await sharp(at('c.png')).metadata();
  expect([width, height]).toEqual([10 * (3 + 2) - 2, 3 * (2 + 2) - 2]);
});

test('sample sweeps one code from column to column, and sets another', async () => {
  expect(cells('s.npy', '--label', '2', '--code', '1=-2:2:5')).toEqual(
    [-2, -1, 0, 1, 2].map((code) => [2, 0, code]),
  );
  const swept = ['--code', '0=0:1:2', '--code', '1=0.5'];
  const expected = [0, 1, 2].flatMap((label) => [0, 1].map((code) => [label, code, 0.5]));
  expect(cells('s.npy', ...swept)).toEqual(expected);
  expect(cells('s.npy', '--code', '1=0.5', '--count', '1').map(([, ...codes]) => codes)).toEqual(
    Array(3).fill([0, 0.5]),
  );
  expect(run('sample', '--model', 'c.onnx', '--out', 's.png', ...swept).code).toBe(0);
  const { width, height } = await sharp(at('s.png')).metadata();
  expect([width, height]).toEqual([2 * (3 + 2) - 2, 3 * (2 + 2) - 2]);
});

test.each([
  [['--label', '3'], /no class 3: its classes are 0 to 2 \(flat, edgy, round\)/],
  [['--label', 'all', '--category', '1'], /cannot be used with/],
  [['--label', 'all', '--interpolate', '1:2:3'], /walks within one class: name one class/],
  [['--code', '2=1'], /no code 2: its codes are 0 to 1/],
  [['--code', '0=1', '--interpolate', '1:2:3'], /cannot be used with/],
])('sample refuses %j for a model with classes and codes', (args, message) => {
  const { code, stderr } = run('sample', '--model', 'c.onnx', ...args);
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('sample writes an .mp4 file with the ffmpeg on the PATH, and says so if there is none', () => {
  const walk = ['sample', '--model', 'g.onnx', '--interpolate', '1:2:3', '--out', 'w.mp4'];
  const path = at('bin');
  mkdirSync(path);
  vi.stubEnv('PATH', path);
  const without = run(...walk);
  expect([without.code, without.stderr]).toEqual([
    2,
    expect.stringMatching(
      /^gpn-cli: An \.mp4 file needs ffmpeg, .*, or write \.gif or \.webp\.\n$/,
    ),
  ]);
  expect(listing(folder)).not.toContain('w.mp4');
  // A stand-in: the file is what it was told, then the frames that it was given.
  const script = `#!${process.execPath}
    if (process.argv.includes('-version')) process.exit();
    const { readFileSync, writeFileSync } = require('node:fs');
    const file = process.argv.at(-1);
    writeFileSync(file, process.argv.slice(2, -1).join(' ') + '\\n');
    writeFileSync(file, readFileSync(0), { flag: 'a' });`;
  writeFileSync(join(path, 'ffmpeg'), script, { mode: 0o755 });
  const made = run(...walk);
  expect(made.code, made.stderr).toBe(0);
  const bytes = readFileSync(at('w.mp4'));
  const end = bytes.indexOf(10);
  expect(bytes.subarray(0, end).toString()).toMatch(/-f rawvideo -pix_fmt rgb24 -s 336x224 /);
  const frames = bytes.subarray(end + 1);
  expect(frames.length).toBe(3 * 336 * 224 * 3);
  // The first pixel of each frame is that of its image.
  const images = generate(pathOf(GENERATOR, 1, 2, 3).latents);
  expectClose(
    [0, 1, 2].map((k) => frames[k * 336 * 224 * 3] as number),
    [0, 1, 2].map((k) => ((images[6 * k] as number) + 1) * 127.5),
    0.6,
  );
  writeFileSync(join(path, 'ffmpeg'), `#!/bin/sh\necho 'No space left' >&2; exit 1\n`);
  const failed = run(...walk);
  expect(failed.stderr).toBe('gpn-cli: ffmpeg could not write the .mp4 file: No space left.\n');
});
