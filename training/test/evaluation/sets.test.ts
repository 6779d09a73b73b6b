import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Generator, stream, UserError } from '@gpn/runtime';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEvaluator } from '../../src/evaluation/scorecard/evaluate.js';
import {
  chooseSome,
  draw,
  loadReal,
  noise,
  pixelRows,
} from '../../src/evaluation/scorecard/image-sets.js';

test('images drawn for an evaluation are those of sampling, as bytes', async () => {
  const generator = await Generator.load('dcgan-mnist', { device: 'cpu' });
  const drawn = await draw(generator, 1100, 5);
  const sampled = await generator.sample({ count: 1100, seed: 5 });
  await generator.dispose();
  expect(Buffer.compare(drawn.images, sampled.toUint8())).toBe(0);
  expect(drawn.labels).toBeUndefined();
});

test('classes are drawn in turn, or as often as there are shares', async () => {
  const generator = await Generator.load('cdcgan-mnist', { device: 'cpu' });
  const inTurn = await draw(generator, 20, 5);
  expect([...(inTurn.labels ?? [])]).toEqual(Array.from({ length: 20 }, (_, k) => k % 10));
  const shares = [0, 0.7, 0, 0, 0.3, 0, 0, 0, 0, 0];
  const { images, labels } = await draw(generator, 1000, 5, { shares });
  const counts = Array.from({ length: 10 }, (_, c) => labels?.filter((l) => l === c).length);
  expect(counts[1]).toBeGreaterThan(640);
  expect(counts[1]).toBeLessThan(760);
  expect(counts[4]).toBe(1000 - (counts[1] as number));
  const sampled = await generator.sample({ count: 1000, seed: 5, labels: [...(labels ?? [])] });
  expect(Buffer.compare(images, sampled.toUint8())).toBe(0);
  const others = await draw(generator, 20, 5, { shares: [0.5, 0.5] });
  expect(others.labels).toEqual(inTurn.labels);
  await generator.dispose();
});

test('MNIST has a test set, which generated images are compared with', async () => {
  const real = await loadReal('mnist', { height: 28, width: 28, channels: 1 });
  expect(real).toMatchObject({ name: 'mnist', part: 'test' });
  expect([real.train.count, real.reference.count]).toEqual([60_000, 10_000]);
  const some = chooseSome(real.reference, 200, 0);
  expect(some.count).toBe(200);
  expect(new Set(some.labels).size).toBe(10);
  await expect(loadReal('mnist', { height: 32, width: 32, channels: 1 })).rejects.toThrow(
    UserError,
  );
});

test('pixels for an evaluation lie in [0, 1], and large images are reduced by averages of squares', () => {
  const small = {
    count: 2,
    height: 1,
    width: 2,
    channels: 1,
    images: Uint8Array.of(0, 255, 51, 102),
  };
  const { data, size } = pixelRows(small, 1);
  expect(size).toBe(2);
  expect(data[0]).toBeCloseTo(0.2, 6);
  const bytes = Uint8Array.from(stream(0, 'large').below(64 * 64 * 3, 256));
  const large = pixelRows({ count: 1, height: 64, width: 64, channels: 3, images: bytes });
  expect(large.size).toBe(32 * 32 * 3);
  const at = (y: number, x: number) => bytes[(y * 64 + x) * 3 + 2] as number;
  const mean = (at(10, 20) + at(10, 21) + at(11, 20) + at(11, 21)) / (4 * 255);
  expect(large.data[(5 * 32 + 10) * 3 + 2]).toBeCloseTo(mean, 5);
});

test('noise images are evenly distributed', () => {
  const { images, count } = noise({ height: 28, width: 28, channels: 1 }, 20);
  expect(count).toBe(20);
  const mean = images.reduce((a, b) => a + b, 0) / images.length;
  expect(Math.abs(mean - 127.5)).toBeLessThan(2);
});

const SMALL = { height: 16, width: 16, channels: 3 } as const;
const folder = mkdtempSync(join(tmpdir(), 'gpn-sets-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder of this many pictures that look random. */
async function pictures(count: number): Promise<string> {
  const path = mkdtempSync(join(folder, `${count}-`));
  for (let k = 0; k < count; k++) {
    const raw = Uint8Array.from(stream(k, 'pictures').below(16 * 16 * 3, 256));
    await sharp(raw, { raw: SMALL })
      .png()
      .toFile(join(path, `${k}.png`));
  }
  return path;
}

test('of a folder, one half is compared with, and the other is what "real" is measured with', async () => {
  const { reference, others, train, part } = await loadReal(await pictures(9), SMALL);
  expect([part, reference.count, others.count, train.count]).toEqual(['halves', 4, 5, 9]);
  const texts = ({ images, count }: typeof others) =>
    Array.from({ length: count }, (_, k) => images.slice(k * 768, (k + 1) * 768).join());
  expect([...texts(reference), ...texts(others)].sort()).toEqual(texts(train).sort());
});

test('three images are too few to evaluate with, and so is one of a generator', async () => {
  const few = await pictures(3);
  await expect(loadReal(few, SMALL)).rejects.toThrow(
    /^3-\w+ has 3 images: an evaluation takes at least 4, because/,
  );
  await expect(openEvaluator(few, SMALL, { samples: 1 })).rejects.toThrow(UserError);
});

let four: string;
beforeAll(async () => {
  four = await pictures(4);
});

test('a folder without a judge is measured without features, in colour', async () => {
  const evaluator = await openEvaluator(four, SMALL, { samples: 50 });
  expect(evaluator.extractor).toBeUndefined();
  expect(evaluator.protocol).toMatchObject({
    data: { part: 'halves', count: 2 },
    sliced: { patches: 128, side: 7, directions: 512 },
  });
  await evaluator.dispose();
});
