/** The sliced Wasserstein distance against golden_sliced.py, and what it must tell apart. */
import { stream } from '@gpn/runtime';
import { describe, expect, test } from 'vitest';
import type { Pictures } from '../../src/data/types.js';
import { distanceOnLine, slicedDistance } from '../../src/evaluation/metrics/sliced.js';

type Shape = [count: number, height: number, width: number, channels: number];

/** Pictures that look random and are the same in every language; golden_sliced.py says how. */
function pictures([count, height, width, channels]: Shape, a: number, spread = 255): Pictures {
  const images = Uint8Array.from({ length: count * height * width * channels }, (_, i) => {
    const u = (((i * i) % 1_000_003) * a + i * 12_345 + 6_789) % 1_000_003;
    return Math.floor((u * spread) / 1_000_003);
  });
  return { count, height, width, channels, images };
}

/** Each pixel is the greater of itself and the one three rows and columns before. */
function smeared({ count, height, width, channels, images }: Pictures): Pictures {
  const out = images.slice();
  const at = (k: number, y: number, x: number, c: number) =>
    ((k * height + y) * width + x) * channels + c;
  for (let k = 0; k < count; k++)
    for (let y = 3; y < height; y++)
      for (let x = 3; x < width; x++)
        for (let c = 0; c < channels; c++) {
          const [own, other] = [at(k, y, x, c), at(k, y - 3, x - 3, c)];
          out[own] = Math.max(images[own] as number, images[other] as number);
        }
  return { count, height, width, channels, images: out };
}

describe('sliced Wasserstein distance', () => {
  test.each([
    [[6, 28, 28, 1], [192.48722915477114]],
    [
      [6, 33, 40, 3],
      [178.56984021724173, 344.86234107651387],
    ],
    [
      [3, 64, 64, 4],
      [246.99071314121153, 249.5403641760121, 333.8680133942121],
    ],
  ] as [Shape, number[]][])('of %j is that of NumPy in every level', async (shape, golden) => {
    const [a, b] = [pictures(shape, 7), smeared(pictures(shape, 11, 128))];
    const { value, levels } = await slicedDistance(a, b, { patches: 16, directions: 32 });
    expect(levels.length).toBe(golden.length);
    golden.forEach((right, level) => {
      // Sums in float32 against those in float64.
      expect(Math.abs((levels[level]?.value as number) - right)).toBeLessThan(1e-5 * right);
    });
    expect(value).toBeCloseTo(golden.reduce((s, x) => s + x, 0) / golden.length, 2);
  });

  const few = { patches: 16, directions: 32 };
  test('is 0 of the same pictures, and of few of them what it is of as many', async () => {
    const [a, b] = [pictures([9, 20, 20, 1], 7), pictures([7, 20, 20, 1], 11, 90)];
    expect((await slicedDistance(a, a, few)).value).toBe(0);
    const cut = { ...a, count: 7, images: a.images.subarray(0, 7 * 400) };
    expect(await slicedDistance(a, b, few)).toEqual(await slicedDistance(cut, b, few));
  });

  test('tells flat pictures from others without dividing by zero', async () => {
    const a = pictures([4, 16, 16, 3], 7);
    const { value } = await slicedDistance(a, { ...a, images: new Uint8Array(4 * 768) }, few);
    expect(value).toBeGreaterThan(500);
    expect(Number.isFinite(value)).toBe(true);
  });

  test('refuses pictures of different sizes, and those smaller than a patch', async () => {
    const a = pictures([2, 8, 8, 1], 7);
    await expect(slicedDistance(a, pictures([2, 8, 9, 1], 7))).rejects.toThrow('8 × 9 × 1');
    const small = pictures([2, 6, 8, 1], 7);
    await expect(slicedDistance(small, small)).rejects.toThrow('no patches of 7');
  });
});

test.each([
  ['of one distribution', 1, 0],
  ['of another spread', 1.2, 0],
  ['far from one another', 1, 50],
])(
  'the distance between numbers %s is the mean difference of the sorted ones',
  (_, spread, away) => {
    const count = 20_000;
    const a = stream(0, 'line').normal(count);
    const b = stream(1, 'line')
      .normal(count)
      .map((x) => spread * x + away);
    const [left, right] = [a.slice().sort(), b.slice().sort()];
    const exact = left.reduce((sum, x, i) => sum + Math.abs(x - (right[i] as number)), 0) / count;
    expect(Math.abs(distanceOnLine(a, b) - exact)).toBeLessThan(1e-4 * exact);
    expect(distanceOnLine(a, a)).toBe(0);
  },
);
