import { inflateSync } from 'node:zlib';
import { decode } from 'fast-png';
import { describe, expect, it, vi } from 'vitest';
import { UserError } from '../src/errors.js';
import { Images } from '../src/format/images.js';
import { deflate, deflateStream } from '../src/format/png.js';
import { stream } from '../src/random/random.js';

/** Gray images of 2×3 whose pixels are all k + 1 sixteenths. */
const flat = (count: number) =>
  new Images(
    count,
    2,
    3,
    1,
    [0, 1],
    Float32Array.from({ length: count * 6 }, (_, i) => (Math.floor(i / 6) + 1) / 16),
  );
const byte = (k: number) => Math.round(((k + 1) / 16) * 255);

describe('Images', () => {
  it('become bytes, with their range mapped to 0 … 255 and other values clamped', () => {
    const data = Float32Array.of(-1, 1, 0, -2, 3, Number.NaN);
    expect([...new Images(1, 2, 3, 1, [-1, 1], data).toUint8()]).toEqual([0, 255, 128, 0, 255, 0]);
    expect([...new Images(1, 1, 1, 3, [0, 2], Float32Array.of(0.5, 1.5, 2)).toUint8()]).toEqual([
      64, 191, 255,
    ]);
  });

  it('become a nearly square grid with black gaps', async () => {
    const png = decode(await flat(5).toPNG());
    expect([png.width, png.height, png.channels, png.depth]).toEqual([
      3 * 3 + 2 * 2,
      2 * 2 + 2,
      1,
      8,
    ]);
    const at = (x: number, y: number) => png.data[y * png.width + x];
    expect([at(0, 0), at(2, 1), at(5, 0), at(10, 1), at(0, 4), at(7, 5)]).toEqual(
      [0, 0, 1, 2, 3, 4].map(byte),
    );
    expect([at(3, 0), at(4, 1), at(0, 2), at(0, 3), at(10, 5)]).toEqual([0, 0, 0, 0, 0]);
    const drawn = [...png.data].filter((value) => value > 0);
    expect(drawn).toHaveLength(5 * 6);
  });

  it('become a grid with the given number of columns', async () => {
    const size = async (columns: number, gap: number) => {
      const { width, height } = decode(await flat(5).toPNG({ columns, gap }));
      return [width, height];
    };
    expect(await size(5, 0)).toEqual([15, 2]);
    expect(await size(1, 1)).toEqual([3, 14]);
    expect(await size(9, 2)).toEqual([23, 2]);
    await expect(flat(1).toPNG({ columns: 0 })).rejects.toThrow(UserError);
  });

  it('become single PNG files, in grey and in colour', async () => {
    const data = Float32Array.from({ length: 2 * 12 }, (_, i) => i / 23);
    const images = new Images(2, 2, 2, 3, [0, 1], data);
    const bytes = images.toUint8();
    const files = await images.toPNGs();
    const decoded = files.map((file) => decode(file));
    expect(decoded.map(({ width, height, channels }) => [width, height, channels])).toEqual([
      [2, 2, 3],
      [2, 2, 3],
    ]);
    expect(decoded.flatMap((png) => [...png.data])).toEqual([...bytes]);
  });

  it('keep their alpha, with transparent gaps, as PNG and as ImageData', async () => {
    const data = Float32Array.from({ length: 2 * 8 }, (_, i) => i / 15);
    const images = new Images(2, 1, 2, 4, [0, 1], data);
    const bytes = [...images.toUint8()];
    const png = decode(await images.toPNG({ gap: 1 }));
    expect([png.width, png.height, png.channels]).toEqual([5, 1, 4]);
    const expected = [...bytes.slice(0, 8), 0, 0, 0, 0, ...bytes.slice(8)];
    expect([...png.data]).toEqual(expected);
    vi.stubGlobal(
      'ImageData',
      class {
        readonly data: Uint8ClampedArray;
        constructor(width: number, height: number) {
          this.data = new Uint8ClampedArray(4 * width * height);
        }
      },
    );
    expect([...images.toImageData({ gap: 1 }).data]).toEqual(expected);
    const opaque = new Images(1, 1, 1, 3, [0, 255], Float32Array.of(1, 2, 3));
    expect([...opaque.toImageData().data]).toEqual([1, 2, 3, 255]);
    vi.unstubAllGlobals();
  });

  it('refuse a grid of more than 2^28 pixels', async () => {
    const wide = new Images(2, 1, 16_384, 1, [0, 1], new Float32Array(2 * 16_384));
    await expect(wide.toPNG({ gap: 1e6, columns: 1 })).rejects.toThrow(/too large/);
  });
});

it('compresses small pictures at once, and large ones by a stream', async () => {
  for (const length of [0, 1, 812, 30_000, 40_000]) {
    const noise = stream(1, length).uniform(length, 0, 40);
    const bytes = Uint8Array.from(noise, (value, i) => (i & 16 ? value : i));
    for (const compressed of [await deflate(bytes), await deflateStream(bytes)]) {
      expect(new Uint8Array(inflateSync(compressed))).toEqual(bytes);
    }
  }
});
