/** Score maps of a judge of fragments: one pass over the picture gives what its fragments do. */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Discriminator, type Picture, type ScoreMap, stream } from '@gpn/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveFolder } from '../../cli/src/web/site.js';
import { scratchFolder } from '../cli.js';
import { root } from '../imports.js';
import { findChromium, launch, NO_CHROMIUM, newPage } from './chromium.js';
import { fragmentJudge } from './model.js';

const picture = (width: number, height: number, channels = 1): Picture => ({
  width,
  height,
  data: Uint8Array.from(stream(3, 'picture').below(width * height * channels, 256)),
});

/** How far a map is from scoring its fragments by themselves, every so many of them. */
async function difference(judge: Discriminator, image: Picture, map: ScoreMap, every = 1) {
  const { first, stride, columns } = map;
  const places = Array.from({ length: Math.ceil(map.values.length / every) }, (_, k) => k * every);
  const { values } = await judge.scoreFragments(
    image,
    places.map((k) => ({
      ...first,
      x: first.x + stride * (k % columns),
      y: first.y + stride * Math.floor(k / columns),
    })),
  );
  expect(new Set(values).size).toBeGreaterThan(0.9 * values.length); // else anything would pass
  const dense = Float32Array.from(places, (k) => map.values[k] as number);
  // A logit has no bounds: measured in its own size.
  return largest(dense, values) / Math.max(1, ...values.map(Math.abs));
}

const largest = (a: Float32Array, b: Float32Array): number => {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, v, i) => Math.max(worst, Math.abs(v - (b[i] as number))), 0);
};

describe.each([
  [2, 1],
  [6, 1],
  [6, 4],
])('fragments with an internal side of %i and a frame of %i', (internal, frame) => {
  let judge: Discriminator;
  beforeAll(async () => {
    judge = await Discriminator.load(await fragmentJudge(internal, frame), { device: 'cpu' });
  });
  afterAll(() => judge.dispose());

  test.each<[string, Picture, number]>([
    ['28×28', picture(28, 28), 1],
    ['in colour, 40×23', picture(40, 23, 3), 1],
    ['a stride', picture(31, 29), 3],
    ['the smallest', picture(internal, internal), 1],
  ])('%s: as fragment by fragment', async (_, image, stride) => {
    const map = await judge.scoreMap(image, { stride });
    const { width, height } = image;
    const places = (size: number) => Math.floor((size - internal) / stride) + 1;
    expect([map.columns, map.rows]).toEqual([places(width), places(height)]);
    expect(await difference(judge, image, map)).toBeLessThanOrEqual(1e-5);
  });

  test('tiles join, and tell how far they are', async () => {
    const image = picture(300, 270);
    const told: number[] = [];
    const map = await judge.scoreMap(image, { onProgress: (done) => told.push(done) });
    expect(told).toHaveLength(4);
    expect(told.at(-1)).toBe(map.values.length);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(await difference(judge, image, map, 17)).toBeLessThanOrEqual(1e-5);
  });
});

test('an abort ends a map after the tile that is under way', async () => {
  const judge = await Discriminator.load(await fragmentJudge(2, 1), { device: 'cpu' });
  const stop = new AbortController();
  const told: number[] = [];
  const onProgress = (done: number) => {
    told.push(done);
    stop.abort();
  };
  const map = judge.scoreMap(picture(600, 600), { signal: stop.signal, onProgress });
  await expect(map).rejects.toThrow(/abort/);
  expect(told).toHaveLength(1);
  await judge.dispose();
});

test('a map of scores in Chromium’s WebAssembly equals the one in Node', async ({ skip }) => {
  const path = findChromium();
  if (path === undefined) skip(NO_CHROMIUM);
  const folder = scratchFolder();
  const bytes = await fragmentJudge(6, 4, [1, 2]);
  writeFileSync(join(folder, 'd.onnx'), bytes);
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>fragments</title>');
  cpSync(join(root, 'runtime/dist'), join(folder, 'runtime'), { recursive: true });
  cpSync(join(root, 'node_modules/onnxruntime-web/dist'), join(folder, 'ort'), { recursive: true });
  const site = await serveFolder(folder);
  const browser = await launch(path as string);
  try {
    const page = await newPage(browser);
    await page.goto(`${site.url}/index.html`);
    const image = picture(28, 28);
    const [runs, values] = (await page.evaluate(`(async () => {
      const { Discriminator } = await import('/runtime/web/index.js');
      const judge = await Discriminator.load('d.onnx', { device: 'wasm', assets: 'ort' });
      const data = Uint8Array.from([${image.data}]);
      let runs = 0;
      const map = await judge.scoreMap({ width: 28, height: 28, data }, { onProgress: () => runs++ });
      return [runs, [map, ...map.coarser].map(({ values }) => [...values])];
    })()`)) as [number, number[][]];
    expect(runs).toBe(2); // one for each scale
    const judge = await Discriminator.load(bytes, { device: 'cpu' });
    const map = await judge.scoreMap(image);
    const maps = [map, ...(map.coarser ?? [])];
    expect([values.length, maps.length]).toEqual([2, 2]);
    for (const [k, own] of maps.entries()) {
      expect(largest(Float32Array.from(values[k] as number[]), own.values)).toBeLessThanOrEqual(
        1e-4,
      );
    }
    await judge.dispose();
  } finally {
    await browser.close();
    site.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
