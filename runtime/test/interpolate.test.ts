import { describe, expect, it } from 'vitest';
import { Generator, latents, pathOf } from '../src/node/index.js';
import { stream } from '../src/random/random.js';
import { expectClose, sentence } from './helpers.js';
import { conditionalFile, GENERATOR, generate, generatorFile } from './tiny.js';

const normal = { ...GENERATOR, latent: { size: 100, distribution: 'normal' as const } };

describe('a path between two seeds', () => {
  it('starts and ends exactly at the first latents of the seeds', () => {
    for (const info of [GENERATOR, normal]) {
      const size = info.latent?.size as number;
      const { latents: path } = pathOf(info, 3, 4, 9);
      expect(path.slice(0, size)).toEqual(latents(info, 1, 3));
      expect(path.slice(-size)).toEqual(latents(info, 1, 4));
    }
  });

  it('is straight for uniform latents', () => {
    const { latents: path } = pathOf(GENERATOR, 3, 4, 3);
    const [a, b] = [latents(GENERATOR, 1, 3), latents(GENERATOR, 1, 4)];
    expectClose(
      path.slice(4, 8),
      a.map((v, i) => (v + (b[i] as number)) / 2),
      1e-7,
    );
  });

  // Oracle: the formula of Shoemake's slerp with the engine's own trigonometry.
  it('is a great circle for normal latents', () => {
    const [a, b] = [latents(normal, 1, 3), latents(normal, 1, 4)];
    const dot = (x: Float32Array, y: Float32Array) =>
      x.reduce((sum, v, i) => sum + v * (y[i] as number), 0);
    const angle = Math.acos(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)));
    const { latents: path } = pathOf(normal, 3, 4, 12);
    const expected = Array.from({ length: 12 }, (_, k) => {
      const t = k / 11;
      const [ofA, ofB] = [Math.sin((1 - t) * angle), Math.sin(t * angle)];
      return [...a].map((v, i) => (ofA * v + ofB * (b[i] as number)) / Math.sin(angle));
    }).flat();
    expectClose(path, expected, 1e-6);
  });

  it('stays at one point from a seed to itself', () => {
    const { latents: path } = pathOf(normal, 5, 5, 3);
    expectClose(path.slice(100, 200), latents(normal, 1, 5), 1e-6);
  });

  it('moves the codes too and keeps one class', async () => {
    const generator = await Generator.load(conditionalFile(), { device: 'cpu' });
    const images = await generator.interpolate(1, 2, 3, { labels: 2 });
    const [a, b] = [1, 2].map((seed) => stream(seed, 'codes').uniform(2, -2, 2));
    const first = (k: number) => [...images.data.slice(6 * k, 6 * k + 3)];
    expect(first(0)).toEqual([2, ...(a as Float32Array)]);
    expect(first(2)).toEqual([2, ...(b as Float32Array)]);
    expect(first(1)[0]).toBe(2);
    expect((await generator.interpolate(1, 2, 2)).data[6]).toBe(0);
    await generator.dispose();
  });

  it('is drawn as `steps` images', async () => {
    const generator = await Generator.load(generatorFile(), { device: 'cpu' });
    const images = await generator.interpolate(3, 4, 70);
    expect(images.count).toBe(70);
    expectClose(images.data, generate(pathOf(GENERATOR, 3, 4, 70).latents));
    expect(await sentence(generator.interpolate(3, 4, 1))).toMatch(/2 to 100000 steps, not 1/);
    await generator.dispose();
  });
});
