import { Images } from '@gpn/runtime';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { animation } from '../src/pictures.js';

test.each(['gif', 'webp'] as const)(
  'an animation as %s keeps what is transparent',
  async (format) => {
    // Two frames of two pixels, of which another one is opaque each time.
    const [red, clear] = [
      [255, 0, 0, 255],
      [0, 0, 0, 0],
    ] as const;
    const data = Float32Array.of(...red, ...clear, ...clear, ...red);
    const images = new Images(2, 1, 2, 4, [0, 255], data);
    const bytes = await animation(images, format);
    for (const page of [0, 1]) {
      const { data: shown, info } = await sharp(bytes, { page })
        .raw()
        .toBuffer({ resolveWithObject: true });
      const at = (x: number) => [...shown.subarray(x * 4, x * 4 + 4)];
      const [left, right] = [at(0), at(info.width - 1)];
      expect(page === 0 ? left : right).toEqual(red);
      expect((page === 0 ? right : left)[3]).toBe(0);
    }
  },
);
