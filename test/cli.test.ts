/** The built command on a model file, as a user runs it. */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Generator, readNpy } from '@gpn/runtime';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gpn, listing, scratchFolder } from './cli.js';
import { tinyGenerator } from './tiny-generator.js';

const folder = scratchFolder();
const file = (name: string) => readFileSync(join(folder, name));

beforeAll(() => writeFileSync(join(folder, 'tiny.onnx'), tinyGenerator()));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('gpn-cli sample', () => {
  const sample = (...args: string[]) => gpn(folder, 'sample', '--model', 'tiny.onnx', ...args);

  test('draws a grid of 64 images', () => {
    const { code, stdout, stderr } = sample('--seed', '7', '--out', 'grid.png');
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: expect.stringContaining('64 images with seed 7'),
      stderr: '',
    });
    // 8 × 8 images of 3 × 2 pixels, 2 pixels apart.
    const { width, height, channels } = decode(file('grid.png'));
    expect({ width, height, channels }).toEqual({ width: 38, height: 30, channels: 1 });
  });

  test('writes the same values as the library draws', async () => {
    expect(sample('--seed', '7', '--count', '3', '--out', 'values.npy').code).toBe(0);
    const { shape, data } = readNpy(file('values.npy'));
    expect(shape).toEqual([3, 2, 3, 1]);
    const generator = await Generator.load(file('tiny.onnx'), { device: 'cpu' });
    const images = await generator.sample({ count: 3, seed: 7 });
    await generator.dispose();
    expect(data).toEqual(images.data);
  });

  test('writes one picture per image into a new folder, in order', () => {
    const { code, stdout } = sample('--count', '11', '--out', 'deep/pictures/', '--json');
    expect(code).toBe(0);
    const names = Array.from({ length: 11 }, (_, i) => `${String(i).padStart(2, '0')}.png`);
    expect(listing(join(folder, 'deep/pictures'))).toEqual(names);
    expect(JSON.parse(stdout)).toMatchObject({ model: 'tiny.onnx', count: 11, seed: 0 });
  });

  test('writes the same bytes for the same seed and different ones for another', () => {
    for (const [out, seed] of [
      ['a.png', '1'],
      ['b.png', '1'],
      ['c.png', '2'],
    ])
      expect(sample('--seed', seed as string, '--out', out as string).code).toBe(0);
    expect(file('a.png').equals(file('b.png'))).toBe(true);
    expect(file('a.png').equals(file('c.png'))).toBe(false);
  });
});

describe('gpn-cli inspect', () => {
  test('says what the file is', () => {
    const { code, stdout } = gpn(folder, 'inspect', 'tiny.onnx');
    expect(code).toBe(0);
    expect(stdout).toMatch(/inputs +latent {2}float32\[N, 4\]/);
    expect(stdout).toMatch(/outputs +image {2}float32\[N, 2, 3, 1\]/);
    expect(stdout).toMatch(/parameters +24\n/);
    expect(stdout).toMatch(/operators .*MatMul 1/);
    expect(stdout).toMatch(/kind: generator/);
  });

  test('prints the same as JSON for programs', () => {
    const { stdout } = gpn(folder, 'inspect', 'tiny.onnx', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      file: 'tiny.onnx',
      bytes: file('tiny.onnx').length,
      inputs: [{ name: 'latent', dtype: 'float32', shape: ['N', 4] }],
      parameters: 24,
      metadata: { gpn: { kind: 'generator', latent: { size: 4 } } },
    });
  });
});

describe('gpn-cli', () => {
  test.each(['train', 'export', 'sample', 'inspect'])('gives examples for %s --help', (command) => {
    const { code, stdout } = gpn(folder, command, '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples:\n {2}\\$ gpn-cli ${command} `));
  });

  test('says how to build it if it is not built yet', () => {
    cpSync(new URL('../cli/bin', import.meta.url), join(folder, 'unbuilt/bin'), {
      recursive: true,
    });
    writeFileSync(join(folder, 'unbuilt/package.json'), '{ "type": "module" }');
    const stub = join(folder, 'unbuilt/bin/gpn-cli.js');
    const { status, stderr } = spawnSync(process.execPath, [stub], { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^gpn-cli: [^\n]*npm run build[^\n]*\n$/);
  });
});
