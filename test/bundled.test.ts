/** The bundled pre-trained models: found by name, and what they should be. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Generator } from '@gpn/runtime';
import { decode } from 'fast-png';
import { afterAll, describe, expect, test } from 'vitest';
import { gpn, scratchFolder } from './cli.js';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the bundled dcgan-mnist', () => {
  test('draws a grid of 64 digits, found by its name', () => {
    const args = ['--model', 'dcgan-mnist.onnx', '--seed', '7', '--out', 'digits.png'];
    const { code, stderr } = gpn(folder, 'sample', ...args);
    expect(code, stderr).toBe(0);
    const { width, height } = decode(readFileSync(join(folder, 'digits.png')));
    expect([width, height]).toEqual([238, 238]);
  });

  test('draws images as bright as MNIST’s, black around and never all alike', async () => {
    const generator = await Generator.load('dcgan-mnist', { device: 'cpu' });
    const { data, count } = await generator.sample({ count: 256, seed: 1 });
    const verification = await generator.verify();
    await generator.dispose();
    expect(verification).toMatchObject({ ok: true });
    const size = data.length / count;
    const mean = (values: Float32Array) => values.reduce((a, b) => a + b, 0) / values.length;
    // MNIST's training images: mean 0.1307; their corners are always black.
    expect(mean(data)).toBeGreaterThan(0.09);
    expect(mean(data)).toBeLessThan(0.17);
    const corners = Array.from({ length: count }, (_, i) => data[i * size] as number);
    expect(Math.max(...corners)).toBeLessThan(0.1);
    const brightness = Array.from({ length: count }, (_, i) =>
      mean(data.subarray(i * size, (i + 1) * size)),
    );
    expect(Math.max(...brightness) - Math.min(...brightness)).toBeGreaterThan(0.05);
  });

  test('says how it was trained', () => {
    const { stdout } = gpn(folder, 'inspect', 'dcgan-mnist', '--json');
    expect(JSON.parse(stdout).metadata.gpn).toMatchObject({
      kind: 'generator',
      training: { dataset: { name: 'mnist' } },
    });
  });
});
