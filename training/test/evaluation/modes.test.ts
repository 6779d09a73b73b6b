/** Stacked MNIST: its images, their modes and the measures of them. */

import { expect, test } from 'vitest';
import { loadMnist } from '../../src/data/sets/mnist.js';
import { loadStackedMnist } from '../../src/data/sets/stacked-mnist.js';
import { modeScores, openModes } from '../../src/evaluation/scorecard/modes.js';

const SIZE = 784;
const channel = (images: Uint8Array, image: number, c: number) =>
  images.subarray(3 * SIZE * image, 3 * SIZE * (image + 1)).filter((_, k) => k % 3 === c);

test('every channel is a digit of MNIST, and an image does not depend on how many are drawn', async () => {
  const [some, more] = [await loadStackedMnist('test', 20), await loadStackedMnist('test', 30)];
  expect(some).toMatchObject({ count: 20, height: 28, width: 28, channels: 3 });
  expect(Buffer.from(more.images.subarray(0, some.images.length)).equals(some.images)).toBe(true);
  const digits = Buffer.from((await loadMnist('test')).images);
  for (const k of [0, 7, 19]) {
    for (const c of [0, 1, 2]) {
      const at = digits.indexOf(channel(some.images, k, c));
      expect(at).toBeGreaterThanOrEqual(0);
      expect(at % SIZE).toBe(0);
    }
  }
});

test('the judge reads the three labels of nearly all images', async () => {
  const count = 300;
  const stacked = await loadStackedMnist('test', count);
  const mnist = await loadMnist('test');
  const digits = Buffer.from(mnist.images);
  const labels = Array.from({ length: count }, (_, k) =>
    [0, 1, 2].reduce((mode, c) => {
      const at = digits.indexOf(channel(stacked.images, k, c)) / SIZE;
      return 10 * mode + (mnist.labels?.[at] as number);
    }, 0),
  );
  const reader = await openModes('stacked-mnist');
  const modes = await reader?.read(stacked);
  await reader?.dispose();
  const right = labels.filter((label, k) => label === modes?.[k]).length;
  expect(right).toBeGreaterThan(0.97 * count);
});

test('modes are counted, and their divergence is from equal shares', () => {
  const all = Uint32Array.from({ length: 2000 }, (_, k) => k % 1000);
  expect(modeScores(all, 1000).modes.value).toBe(1000);
  expect(modeScores(all, 1000).modeDivergence.value).toBeCloseTo(0, 12);
  const one = modeScores(new Uint32Array(50).fill(307), 1000);
  expect(one.modes.value).toBe(1);
  expect(one.modeDivergence.value).toBeCloseTo(Math.log(1000), 12);
});

test('other data have no modes', async () => {
  expect(await openModes('mnist')).toBe(undefined);
});
