import { stream } from '@gpn/runtime';
import { describe, expect, it } from 'vitest';
import { ALTERATIONS, type Alteration, compressed } from '../../src/data/fragments/alterations.js';
import { sideOf } from '../../src/data/fragments/corners.js';
import { type FragmentOptions, fragmentBatch } from '../../src/data/fragments/fragments.js';
import { numbered, options } from './numbered.js';

describe('an alteration', () => {
  const data = numbered(2, 6, 6, 3);
  const size = { internal: 3, frame: 2 };
  const side = sideOf(size);
  const inside = (n: number) => n >= size.frame && n < size.frame + size.internal;
  const pairOf = (kind: Alteration, seed: number, more: Partial<FragmentOptions> = {}) => {
    const { fragments } = fragmentBatch(
      data,
      [0],
      2,
      options({ ...size, negatives: { [kind]: 1 }, ...more }),
      stream(seed),
    );
    return [fragments.subarray(0, side * side * 3), fragments.subarray(side * side * 3)] as const;
  };

  it.each(Object.keys(ALTERATIONS) as Alteration[])(
    '%s changes the internal part alone',
    (kind) => {
      let changed = 0;
      for (let seed = 0; seed < 10; seed++) {
        const [real, altered] = pairOf(kind, seed);
        for (let k = 0; k < real.length; k++) {
          const pixel = Math.floor(k / 3);
          if (inside(Math.floor(pixel / side)) && inside(pixel % side)) {
            changed += real[k] === altered[k] ? 0 : 1;
            expect(altered[k]).toBeGreaterThanOrEqual(0);
            expect(altered[k]).toBeLessThanOrEqual(1);
          } else expect(altered[k]).toBe(real[k]);
        }
      }
      expect(changed).toBeGreaterThan(0);
    },
  );

  /** Channel c at (y, x) of an internal part. */
  const at = (fragment: Float32Array, y: number, x: number, c = 0): number =>
    fragment[((y + size.frame) * side + x + size.frame) * 3 + c] as number;

  it.each([
    [{}, [1]],
    [{ crops: true }, [0, 1, 2, 3, 4]],
  ])('by mismatch is of the next image, and of crops of any (%o)', (more, expected) => {
    // Image k is k everywhere.
    const flat = { ...numbered(5, 6, 6, 1), images: new Uint8Array(180).map((_, k) => k / 36) };
    const from = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const how = options({ internal: 2, frame: 0, negatives: { mismatch: 1 }, ...more });
      from.add(256 * (fragmentBatch(flat, [0], 2, how, stream(seed)).fragments[4] as number));
    }
    expect([...from].sort()).toEqual(expected);
  });

  it('by blur stays within 0.2 of the fragment, and reaches that', () => {
    const by = Array.from({ length: 50 }, (_, seed) => {
      const [real, altered] = pairOf('blur', seed);
      return at(altered, 1, 1) - at(real, 1, 1);
    });
    expect(Math.max(...by)).toBeLessThanOrEqual(0.2);
    expect(Math.max(...by)).toBeGreaterThan(0.15);
    expect(Math.min(...by)).toBeGreaterThanOrEqual(-0.2);
  });

  it('by mismatch shows a whole part of the next image, from anywhere in it', () => {
    const corners = new Set<number>();
    for (let seed = 0; seed < 300; seed++) {
      const [, altered] = pairOf('mismatch', seed);
      const corner = Math.round(at(altered, 0, 0) * 256) - 100; // 10 · row + column
      corners.add(corner);
      for (let y = 0; y < 3; y++)
        for (let x = 0; x < 3; x++)
          for (let c = 0; c < 3; c++)
            expect(at(altered, y, x, c)).toBe((100 + corner + 10 * y + x + c) / 256);
    }
    expect([...corners].sort((a, b) => a - b)).toEqual(
      [0, 1, 2, 3].flatMap((y) => [0, 1, 2, 3].map((x) => 10 * y + x)),
    );
  });

  it('by mismatch takes the inverse of the next image half of the time, if there are inverses', () => {
    const dark = { ...numbered(2, 6, 6, 3), images: new Uint8Array(2 * 108) };
    let bright = 0;
    for (let seed = 0; seed < 400; seed++) {
      const more = options({ ...size, negatives: { mismatch: 1 }, inverse: true });
      const { fragments } = fragmentBatch(dark, [0], 2, more, stream(seed));
      bright += at(fragments.subarray(side * side * 3), 0, 0);
    }
    // Binomial: four standard deviations are 40.
    expect(Math.abs(bright - 200)).toBeLessThan(40);
  });

  it.each([
    ['resample', [0.6, 0.85, 1.2, 1.7]],
    ['shrink', [0.6, 0.85]],
  ] as const)('by %s is scaled about its middle, by factors from %o', (kind, bounds) => {
    // On a slope neighbours differ by 1, and by what the factor leaves of it where it is scaled.
    const pixels = new Uint8Array(900).map((_, k) => k % 30);
    const image = { pixels, height: 30, width: 30, channels: 1, inverse: false };
    const factors = Array.from({ length: 200 }, (_, seed) => {
      const place = { image, other: () => image, row: 13, column: 10, internal: 4 };
      const row = ALTERATIONS[kind]({ ...place, random: stream(seed) }).subarray(8, 12);
      const [first, last] = [256 * (row[0] as number), 256 * (row[3] as number)];
      expect((first + last) / 2).toBeCloseTo(11.5, 4);
      return 3 / (last - first);
    });
    const ranges = bounds.flatMap((from, k) => (k % 2 ? [] : [[from, bounds[k + 1] as number]]));
    for (const factor of factors) {
      expect(
        ranges.some(([from, to]) => factor > (from as number) && factor < (to as number)),
      ).toBe(true);
    }
    for (const [from, to] of ranges as [number, number][]) {
      const own = factors.filter((factor) => factor >= from && factor <= to);
      expect(Math.min(...own) - from).toBeLessThan((to - from) / 10);
      expect(to - Math.max(...own)).toBeLessThan((to - from) / 10);
    }
  });

  it('by gaussian is the convolution with a Gaussian of standard deviation 1', () => {
    const flat = { ...numbered(1, 9, 9, 1), images: new Uint8Array(81) };
    flat.images[4 * 9 + 4] = 255; // a point spreads as the kernel
    const whole = options({ internal: 9, frame: 0, negatives: { gaussian: 1 } });
    const { fragments } = fragmentBatch(flat, [0], 2, whole, stream(0));
    const blurred = fragments.subarray(81);
    for (const [dy, dx] of [
      [0, 0],
      [0, 1],
      [1, 1],
      [2, 0],
      [-3, 2],
    ] as const) {
      const density = Math.exp(-(dy * dy + dx * dx) / 2) / (2 * Math.PI);
      expect(blurred[(4 + dy) * 9 + 4 + dx]).toBeCloseTo((255 / 256) * density, 3);
    }
    const sum = blurred.reduce((a, b) => a + b, 0);
    expect(sum).toBeCloseTo(255 / 256, 5);
  });
});

it('jpeg rounds the cosine coefficients of a block of 8 × 8, as SciPy does', () => {
  const pixels = Uint8Array.from({ length: 64 }, (_, k) => {
    const [y, x] = [k >> 3, k & 7];
    return (37 * y + 11 * x * x + 5 * x * y) % 200;
  });
  const image = { pixels, height: 8, width: 8, channels: 1, inverse: false };
  const place = { image, other: () => image, row: 0, column: 0, internal: 8, random: stream(0) };
  const out = compressed(place, 2);
  // The expected numbers are what training/test/evaluation/golden_detection.py prints.
  [0.11308707, 0.08840777, 0.33971165, 0.09967227].forEach((value, k) => {
    expect(out[[0, 8 * 2 + 3, 8 * 5 + 1, 8 * 7 + 7][k] as number]).toBeCloseTo(value, 6);
  });
});
