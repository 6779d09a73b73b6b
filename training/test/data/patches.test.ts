import { stream } from '@gpn/runtime';
import { describe, expect, it } from 'vitest';
import { turned } from '../../src/data/flip.js';
import type { FragmentOptions } from '../../src/data/fragments/fragments.js';
import { patchBatch } from '../../src/data/fragments/patches.js';
import type { RegionOptions } from '../../src/data/fragments/regions.js';
import type { Images } from '../../src/data/types.js';

const [HEIGHT, WIDTH] = [24, 30];
/** Images of one tone each, so that a part of another one is seen in every pixel. */
const TONES: Images = {
  ...{ name: 'tones', count: 4, height: HEIGHT, width: WIDTH, channels: 1 },
  images: Uint8Array.from(
    { length: 4 * HEIGHT * WIDTH },
    (_, k) => [40, 90, 160, 220].at(Math.floor(k / HEIGHT / WIDTH)) as number,
  ),
};
const REGION: RegionOptions = { smallest: 5, largest: 9, smooth: 0, beside: 0.5 };
const options = (more: Partial<FragmentOptions> = {}) => ({
  ...{ internal: 4, frame: 3, negatives: { mismatch: 1 }, inverse: false, region: REGION },
  ...more,
});
const [INTERNAL, SIDE] = [20, 26];
/** Every second fragment: internal parts begin 0, 2 … 16 pixels from the corner. */
const settings = (regions: number, turns = false) => ({
  ...{ internal: INTERNAL, regions, turned: turns },
  ...{ stride: 2, across: 9 },
});

describe('patches', () => {
  it('are cut from pixels / 256, with zeros beyond the image and nothing altered without regions', () => {
    const { fragments, labels, weights } = patchBatch(
      TONES,
      [2, 1],
      options(),
      settings(0),
      stream(3),
    );
    expect(fragments.length).toBe(2 * SIDE ** 2);
    expect([...new Set(fragments.subarray(0, SIDE ** 2))].sort()).toEqual([0, 160 / 256]);
    expect([...new Set(fragments.subarray(SIDE ** 2))].sort()).toEqual([0, 90 / 256]);
    // A part of 20 pixels with a frame of 3 is as high as the image and two more.
    expect(fragments.filter((value) => value > 0).length).toBeGreaterThanOrEqual(2 * 23 * 23);
    expect([...labels, ...weights].every((value) => value === 1)).toBe(true);
  });

  it('have fragments that are altered where every pixel of their internal part is', () => {
    let [altered, beside, real] = [0, 0, 0];
    for (let seed = 0; seed < 30; seed++) {
      const { fragments, labels, weights } = patchBatch(
        TONES,
        [0],
        options(),
        settings(1),
        stream(seed),
      );
      const isOther = (y: number, x: number) => {
        const value = fragments[y * SIDE + x] as number;
        return value !== 0 && value !== 40 / 256;
      };
      for (let k = 0; k < 81; k++) {
        const [top, left] = [3 + 2 * Math.floor(k / 9), 3 + 2 * (k % 9)];
        let others = 0;
        for (let y = top; y < top + 4; y++)
          for (let x = left; x < left + 4; x++) others += Number(isOther(y, x));
        expect(labels[k]).toBe(others === 16 ? 0 : 1);
        expect(weights[k]).toBe(others > 0 && others < 16 ? 0.5 : 1);
        if (others === 16) altered++;
        else if (others > 0) beside++;
        else real++;
      }
    }
    expect(Math.min(altered, beside, real)).toBeGreaterThan(20);
  });

  it('have values of 8 bits, as pictures have, also where they are altered', () => {
    const { fragments } = patchBatch(
      TONES,
      [0, 1, 2, 3],
      options({ negatives: { grain: 1, resample: 1, noise: 1 } }),
      settings(4),
      stream(1),
    );
    const levels = fragments.map((value) => value * 256);
    expect(new Set(levels).size).toBeGreaterThan(50);
    expect(levels.every((level) => Number.isInteger(level) && level >= 0 && level <= 255)).toBe(
      true,
    );
  });

  it('have from none to so many regions, each number as often, none over another', () => {
    const counts = new Map<number, number>();
    for (let seed = 0; seed < 300; seed++) {
      const { fragments } = patchBatch(
        { ...TONES, height: 60, width: 60, count: 4, images: tones(60) },
        [0],
        options({ region: { ...REGION, smallest: 5, largest: 5 } }),
        { ...settings(2), internal: 54, across: 26 },
        stream(seed),
      );
      const others = fragments.filter((value) => value !== 0 && value !== 40 / 256).length;
      expect(others % 25).toBe(0);
      counts.set(others / 25, (counts.get(others / 25) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([0, 1, 2]);
    // 300 draws of three: beyond 70 … 130 once in four thousand.
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(30);
  });

  it('are altered in each way as often as its weight says', () => {
    let [noisy, all] = [0, 0];
    for (let seed = 0; seed < 400; seed++) {
      const { fragments } = patchBatch(
        TONES,
        [0],
        options({ negatives: { noise: 3, mismatch: 1, generated: 9 } as object }),
        settings(1),
        stream(seed),
      );
      const others = new Set(fragments.filter((value) => value !== 0 && value !== 40 / 256));
      if (others.size > 0) all++;
      if (others.size > 1) noisy++;
    }
    // Half of 400 have a region; the deviation of a share of 3/4 is 0.03.
    expect(noisy / all).toBeGreaterThan(0.65);
    expect(noisy / all).toBeLessThan(0.85);
  });

  it('show turned images, whose sides are then exchanged', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const { fragments } = patchBatch(TONES, [0], options(), settings(0, true), stream(seed));
      const rows = Array.from({ length: SIDE }, (_, y) =>
        fragments.subarray(y * SIDE, (y + 1) * SIDE).some((value) => value > 0),
      );
      const columns = Array.from({ length: SIDE }, (_, x) =>
        rows.some((_, y) => (fragments[y * SIDE + x] as number) > 0),
      );
      const missing = (lines: boolean[]) => lines.filter((line) => !line).length;
      // 24 pixels are at most two fewer than the patch; 30 can be more than it.
      seen.add(
        missing(rows) > missing(columns)
          ? 'rows'
          : missing(rows) < missing(columns)
            ? 'columns'
            : 'alike',
      );
    }
    expect(seen).toContain('rows');
    expect(seen).toContain('columns');
  });
});

function tones(side: number): Uint8Array {
  return Uint8Array.from(
    { length: 4 * side * side },
    (_, k) => [40, 90, 160, 220].at(Math.floor(k / side / side)) as number,
  );
}

describe('an image turned', () => {
  const image = { pixels: Uint8Array.of(1, 2, 3, 4, 5, 6), height: 2, width: 3, channels: 1 };
  const ways = Array.from({ length: 8 }, (_, way) => turned(image, way));

  it('has eight orientations, of which half exchange its sides', () => {
    expect(new Set(ways.map(({ height, pixels }) => `${height}: ${pixels}`)).size).toBe(8);
    expect(ways.map(({ height, width }) => `${height} × ${width}`)).toEqual([
      ...['2 × 3', '3 × 2', '2 × 3', '3 × 2', '2 × 3', '3 × 2', '2 × 3', '3 × 2'],
    ]);
  });

  it('is the image, transposed, mirrored or upside down', () => {
    expect([...(ways[0]?.pixels ?? [])]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(ways[1]?.pixels ?? [])]).toEqual([1, 4, 2, 5, 3, 6]);
    expect([...(ways[2]?.pixels ?? [])]).toEqual([3, 2, 1, 6, 5, 4]);
    expect([...(ways[4]?.pixels ?? [])]).toEqual([4, 5, 6, 1, 2, 3]);
    expect([...(ways[7]?.pixels ?? [])]).toEqual([6, 3, 5, 2, 4, 1]);
  });

  it('keeps the channels of a pixel together', () => {
    const two = { pixels: Uint8Array.of(1, 10, 2, 20), height: 1, width: 2, channels: 2 };
    expect([...turned(two, 2).pixels]).toEqual([2, 20, 1, 10]);
    expect([...turned(two, 1).pixels]).toEqual([1, 10, 2, 20]);
  });
});
