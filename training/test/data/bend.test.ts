import { stream } from '@gpn/runtime';
import { expect, test } from 'vitest';
import { type Affine, distort, drawAffine } from '../../src/data/distort.js';

const size = { height: 3, width: 3, channels: 1 };
const image = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
const bent = (affine: Affine) => [...distort(image, size, [affine])];

test('an image that is not bent keeps its bytes', () => {
  expect(bent([1, 0, 0, 0, 1, 0])).toEqual([...image]);
});

test('an image moved by whole pixels repeats its border beyond it', () => {
  expect(bent([1, 0, 1, 0, 1, 0])).toEqual([4, 5, 6, 7, 8, 9, 7, 8, 9]);
  expect(bent([1, 0, 0, 0, 1, -1])).toEqual([1, 1, 2, 4, 4, 5, 7, 7, 8]);
});

test('an image is turned by a right angle and mirrored about its middle', () => {
  expect(bent([0, 1, 0, -1, 0, 0])).toEqual([3, 6, 9, 2, 5, 8, 1, 4, 7]);
  expect(bent([1, 0, 0, 0, -1, 0])).toEqual([3, 2, 1, 6, 5, 4, 9, 8, 7]);
});

test('an image is interpolated between pixels, each channel by itself', () => {
  const two = Uint8Array.of(0, 100, 50, 200, 10, 20, 30, 40);
  const wide = { height: 1, width: 2, channels: 2 };
  const half: Affine = [1, 0, 0, 0, 1, 0.25];
  expect([...distort(two, wide, [half, [1, 0, 0, 0, 1, 0]])]).toEqual([
    ...[13, 125, 50, 200],
    ...[10, 20, 30, 40],
  ]);
});

test('random distortions stay within their bounds, roughly keep the area, and differ', () => {
  const random = stream(0, 'bend');
  const drawn = Array.from({ length: 500 }, () => drawAffine(random, { ...size, height: 100 }));
  for (const [a, b, c, d, e, f] of drawn) {
    expect(Math.abs(c)).toBeLessThanOrEqual(8);
    expect(Math.abs(f)).toBeLessThanOrEqual(0.24);
    // The determinant is that of the two stretches: turning and leaning keep areas.
    expect(Math.abs(Math.log(a * e - b * d))).toBeLessThanOrEqual(0.4);
  }
  expect(new Set(drawn.map(([a]) => a)).size).toBe(500);
});
