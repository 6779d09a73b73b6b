import { Generator, stream, UserError } from '@gpn/runtime';
import { expect, test } from 'vitest';
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
