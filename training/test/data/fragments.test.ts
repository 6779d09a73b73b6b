import { stream } from '@gpn/runtime';
import { describe, expect, it } from 'vitest';
import { drawCorners } from '../../src/data/fragments/corners.js';
import {
  type FragmentOptions,
  fragmentBatch,
  fragmentIndices,
  kindsOf,
  viewCount,
} from '../../src/data/fragments/fragments.js';
import { numbered, options, rowsOf } from './numbered.js';

describe('the corners of fragments', () => {
  it('fall on every place alike, edges included: chi-squared over all of them', () => {
    const [height, width, internal] = [7, 9, 3];
    const places = (height - internal + 1) * (width - internal + 1);
    const draws = 20_000;
    const { rows, columns } = drawCorners(stream(1, 'corners'), draws, { height, width }, internal);
    const found = new Array<number>(places).fill(0);
    for (const [k, row] of rows.entries()) {
      const place = row * (width - internal + 1) + (columns[k] as number);
      found[place] = (found[place] as number) + 1;
    }
    const expected = draws / places;
    const chiSquared = found.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // 34 degrees of freedom: 56.06 is exceeded once in a hundred, 12.4 once in ten thousand not.
    expect(places).toBe(35);
    expect(chiSquared).toBeLessThan(56.06);
    expect(chiSquared).toBeGreaterThan(12.4);
  });

  it('say which pixels of the padded image a fragment has', () => {
    const corners = { rows: Uint32Array.of(0, 2), columns: Uint32Array.of(1, 3) };
    // The padded image is 7 wide; a fragment of 3 pixels begins at its corner.
    expect([...fragmentIndices(corners, { width: 5 }, { internal: 1, frame: 1 })]).toEqual([
      ...[1, 2, 3, 8, 9, 10, 15, 16, 17],
      ...[17, 18, 19, 24, 25, 26, 31, 32, 33],
    ]);
  });
});

describe('fragments', () => {
  it('are cut from pixels / 256 at the corner drawn, with zeros beyond the image', () => {
    const data = numbered(2, 4, 5, 1);
    const size = options({ negatives: {} });
    for (let seed = 0; seed < 20; seed++) {
      const { rows, columns } = drawCorners(stream(seed), 2, data, size.internal);
      const { fragments } = fragmentBatch(data, [0, 1], 2, size, stream(seed));
      const expected = [0, 1].map((n) =>
        [-1, 0, 1, 2].map((dy) =>
          [-1, 0, 1, 2].map((dx) => {
            const [y, x] = [(rows[n] as number) + dy, (columns[n] as number) + dx];
            return y < 0 || y >= 4 || x < 0 || x >= 5 ? 0 : (100 * n + 10 * y + x) / 256;
          }),
        ),
      );
      expect(rowsOf(fragments, 4, 1)).toEqual(expected);
    }
  });

  it('of an inverse are 1 − pixels / 256, and still have zeros beyond the image', () => {
    const data = numbered(1, 2, 2, 3);
    const { fragments } = fragmentBatch(
      data,
      [0, 1],
      2,
      options({ inverse: true, negatives: {} }),
      stream(0),
    );
    const [straight, inverse] = rowsOf(fragments, 4, 3) as [number[][], number[][]];
    for (const [y, row] of straight.entries())
      for (const [x, value] of row.entries()) {
        const inside = y > 0 && y < 3 && x > 0 && x < 3;
        expect(inverse[y]?.[x]).toBe(inside ? 1 - value : 0);
      }
    expect(viewCount(data, options({ inverse: true }))).toBe(2);
    expect(viewCount(data, options())).toBe(1);
  });

  it('come as one example of every kind each, real first, with label and weight', () => {
    const negatives = { noise: 1, mismatch: 0.5, blur: 0 };
    const { kinds, labels, weights } = fragmentBatch(
      numbered(3, 4, 4, 1),
      [0, 1, 2],
      8,
      options({ negatives }),
      stream(0),
    );
    expect(kindsOf({ negatives })).toEqual(['real', 'noise', 'mismatch']);
    const three = ['real', 'noise', 'mismatch'];
    expect(kinds).toEqual([...three, ...three, 'real', 'noise']);
    expect([...labels]).toEqual([1, 0, 0, 1, 0, 0, 1, 0]);
    expect([...weights]).toEqual([1, 1, 0.5, 1, 1, 0.5, 1, 1]);
  });

  it.each([0, 1, 2, 3])(
    'of several scales are cut from averages of blocks, in turns (%i)',
    (seed) => {
      const [data, scales] = [numbered(2, 12, 9, 2), [1, 3]];
      const more = { negatives: {}, frame: 0, scales };
      const { fragments } = fragmentBatch(data, [0, 1], 2, options(more), stream(seed));
      for (const [n, fragment] of rowsOf(fragments, 2, 2).entries()) {
        const scale = scales[n] as number;
        // Values rise evenly down and across, so that the average of a block is its middle pixel.
        const [[corner]] = fragment as [[number]];
        const place = Math.round(256 * corner - 100 * n - 11 * ((scale - 1) / 2));
        const [row, column] = [Math.floor(place / 10) / scale, (place % 10) / scale];
        expect(row).toBeOneOf(Array.from({ length: 12 / scale - 1 }, (_, k) => k));
        expect(column).toBeOneOf(Array.from({ length: 9 / scale - 1 }, (_, k) => k));
        for (const [y, line] of fragment.entries())
          for (const [x, value] of line.entries())
            expect(256 * (value - corner)).toBeCloseTo(scale * (10 * y + x), 4);
      }
    },
  );

  it('of one scale are what they are without scales', () => {
    const make = (more: Partial<FragmentOptions>) =>
      fragmentBatch(numbered(3, 6, 6, 3), [0, 2, 1], 13, options(more), stream(7)).fragments;
    expect(make({ scales: [1] })).toEqual(make({}));
    expect(make({ scales: [1, 2] })).not.toEqual(make({}));
  });

  it('are a function of the stream', () => {
    const make = (seed: number) =>
      fragmentBatch(numbered(3, 6, 6, 3), [0, 2], 9, options(), stream(seed)).fragments;
    expect(make(4)).toEqual(make(4));
    expect(make(4)).not.toEqual(make(5));
  });
});

describe('altered regions', () => {
  const region = { smallest: 4, largest: 7, smooth: 0, beside: 1 };
  const size = { internal: 4, frame: 4 };
  const batch = (more: Partial<FragmentOptions>, seed: number) =>
    fragmentBatch(
      numbered(2, 20, 20, 1),
      [0],
      3,
      { ...size, negatives: { noise: 0.5 }, inverse: false, region, ...more },
      stream(seed),
    );
  /** Which pixels of the k-th fragment differ from the real one, which is the first. */
  const changed = (fragments: Float32Array, k: number): boolean[] =>
    Array.from({ length: 144 }, (_, i) => fragments[k * 144 + i] !== fragments[i]);
  const inside = (i: number) => {
    const [y, x] = [Math.floor(i / 12), i % 12];
    return y >= 4 && y < 8 && x >= 4 && x < 8;
  };

  it('cover the internal part, reach into the frame, and leave the rest as it is', () => {
    let reaching = 0;
    for (let seed = 0; seed < 50; seed++) {
      const { fragments, labels, weights, kinds } = batch({}, seed);
      expect(kinds).toEqual(['real', 'beside', 'noise']);
      expect([...labels]).toEqual([1, 1, 0]);
      expect([weights[0], weights[2]]).toEqual([1, 0.5]);
      const noise = changed(fragments, 2);
      expect(noise.every((is, i) => is || !inside(i))).toBe(true);
      const count = noise.filter(Boolean).length;
      expect(count).toBeLessThanOrEqual(7 * 7);
      if (count > 16) reaching++;
    }
    expect(reaching).toBeGreaterThan(25);
  });

  it('beside the internal part do not cover it', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { fragments, weights } = batch({}, seed);
      const beside = changed(fragments, 1);
      expect(beside.every((is, i) => is || !inside(i))).toBe(false);
      expect(weights[1]).toBe(beside.some(Boolean) ? 1 : 0);
    }
  });

  it('that change nothing to be seen have no weight', () => {
    const flat = { ...numbered(2, 20, 20, 1), images: new Uint8Array(800) };
    const options = { ...size, negatives: { copy: 1 }, inverse: false, region };
    expect([...fragmentBatch(flat, [0], 3, options, stream(0)).weights]).toEqual([1, 0, 0]);
  });

  it('with smooth edges change their middle most', () => {
    const flat = { ...numbered(2, 20, 20, 1), images: new Uint8Array(800) };
    flat.images.fill(255, 400); // the other image is white
    const options: FragmentOptions = {
      ...{ ...size, negatives: { mismatch: 1 }, inverse: false },
      region: { smallest: 7, largest: 7, smooth: 1 },
    };
    const { fragments } = fragmentBatch(flat, [0], 2, options, stream(2));
    const values = [...fragments.subarray(144)].filter((value) => value > 0);
    expect(values.length).toBeLessThan(49);
    expect(Math.max(...values)).toBeCloseTo(255 / 256, 6);
    expect(values.some((value) => value < 0.6)).toBe(true);
  });
});
