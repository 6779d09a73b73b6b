/** What `<gpn-trainer>` is made of, as far as it needs no page. */
import { expect, it } from 'vitest';
import { CurveKeeper } from '../src/run/web/element/curves.js';
import { roughly, sentenceFor } from '../src/run/web/element/words.js';
import { enoughImages } from '../src/run/web/few.js';
import type { StepInfo } from '../src/run/web/index.js';

it('curves are averages, of more steps a point as they grow', () => {
  const keeper = new CurveKeeper();
  const STEPS = 1000;
  for (let step = 0; step < STEPS; step++) keeper.add({ generator: step, discriminator: 1 });
  const { every, points } = keeper.curves;
  const { generator = [], discriminator = [] } = points;
  expect(generator.length).toBeLessThanOrEqual(240);
  expect(generator.length * every).toBeGreaterThan(STEPS - 2 * every);
  generator.forEach((value, i) => {
    // The average of `every` numbers that follow one another.
    expect(value).toBeCloseTo(i * every + (every - 1) / 2, 6);
  });
  expect(new Set(discriminator)).toEqual(new Set([1]));
  // What was kept goes on where it was.
  const again = new CurveKeeper(keeper.curves);
  for (let k = 0; k < every; k++) again.add({ generator: 7, discriminator: 7 });
  expect(again.curves.points.generator).toEqual([...generator, 7]);
});

it('times are said roughly', () => {
  expect([0.2, 1, 59, 89, 91, 3600, 7000, 200_000].map(roughly)).toEqual([
    '1 second',
    '1 second',
    '59 seconds',
    '89 seconds',
    '2 minutes',
    '60 minutes',
    '2 hours',
    '2 days',
  ]);
});

it('engines without memory are answered by a sentence that says what to do', () => {
  for (const message of [
    'std::bad_alloc',
    'WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory for new instance',
    'Array buffer allocation failed',
    'Failed to allocate memory for requested buffer of size 123',
  ]) {
    expect(sentenceFor(new Error(message))).toMatch(
      /^There is not enough memory for this training \(.*\): close other tabs/,
    );
  }
  expect(sentenceFor(new Error('odd'))).toBe('The training failed: odd');
});

const info = (images: number) =>
  ({
    recipe: { data: { height: 4, width: 4, channels: 1 }, training: { seed: 0 } },
    phases: [{ feeds: { images } }],
  }) as unknown as StepInfo;

it('a dozen images become batches of bent ones, the same each time, and many stay as they are', () => {
  const images = Uint8Array.from({ length: 12 * 16 }, (_, i) => i % 251);
  const labels = Uint8Array.from({ length: 12 }, (_, i) => i);
  const given = { images, labels, classes: Array.from(labels, String) };
  const enough = enoughImages(given, info(4));
  expect(enough.images.length).toBe(32 * 16);
  expect(enough.images.subarray(0, images.length)).toEqual(images);
  expect(enough.images.subarray(images.length)).not.toEqual(enough.images.slice(0, 20 * 16));
  expect(Array.from(enough.labels ?? [])).toEqual(Array.from({ length: 32 }, (_, k) => k % 12));
  expect(enoughImages(given, info(4))).toEqual(enough);
  expect(enoughImages(given, info(3))).toBe(given);
  expect(() => enoughImages({ images: images.slice(0, 32) }, info(4))).toThrow(
    '2 picture(s) are too few to learn from: give 8 at least',
  );
});
