import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../src/data/sets/dataset.js';
import { ramp } from './idx-file.js';
import { folder, GREY, png, raw } from './picture-files.js';

const RGB = { height: 2, width: 4, channels: 3 };
const pixels = async (path: string, size: typeof RGB) => [
  ...(await loadDataset(path, size)).images,
];

describe('a folder of images, pixel by pixel:', () => {
  test('a PNG of the right size comes through unchanged, channels last', async () => {
    const rgb = await folder('rgb', { 'a.png': png(4, 2, 2, 8, ramp(24)) });
    expect(await pixels(rgb, RGB)).toEqual([...ramp(24)]);
    const grey = await folder('grey', { 'a.png': png(4, 2, 0, 8, ramp(8)) });
    expect(await pixels(grey, GREY)).toEqual([...ramp(8)]);
  });

  test('grey becomes RGB by repetition; RGB becomes grey, white stays white', async () => {
    const grey = await folder('to-rgb', { 'a.png': png(4, 2, 0, 8, ramp(8)) });
    expect(await pixels(grey, RGB)).toEqual([...ramp(8)].flatMap((v) => [v, v, v]));
    const colours = Uint8Array.of(255, 255, 255, 0, 0, 0, 0, 255, 0, 0, 0, 255);
    const rgb = await folder('to-grey', { 'a.png': png(4, 1, 2, 8, colours) });
    const [white, black, green, blue] = await pixels(rgb, { height: 1, width: 4, channels: 1 });
    expect([white, black]).toEqual([255, 0]);
    expect(green).toBeGreaterThan(blue as number); // as bright as eyes see it
  });

  test('transparency is laid on black', async () => {
    const rgba = Uint8Array.of(200, 100, 50, 255, 200, 100, 50, 0, 200, 100, 50, 128, 0, 0, 0, 255);
    const path = await folder('alpha', { 'a.png': png(4, 1, 6, 8, rgba) });
    expect(await pixels(path, { height: 1, width: 4, channels: 3 })).toEqual([
      ...[200, 100, 50],
      ...[0, 0, 0],
      ...[100, 50, 25],
      ...[0, 0, 0],
    ]);
    const greyAlpha = Uint8Array.of(200, 255, 200, 0);
    const grey = await folder('grey-alpha', { 'a.png': png(2, 1, 4, 8, greyAlpha) });
    expect(await pixels(grey, { height: 1, width: 2, channels: 1 })).toEqual([200, 0]);
  });

  test('16 bits a channel become 8', async () => {
    const big = Uint8Array.from([...ramp(8)].flatMap((v) => [v, v])); // 257 v, the same brightness
    const path = await folder('deep', { 'a.png': png(4, 2, 0, 16, big) });
    expect(await pixels(path, GREY)).toEqual([...ramp(8)]);
    expect(await pixels(path, RGB)).toEqual([...ramp(8)].flatMap((v) => [v, v, v]));
  });

  test('a larger image is cut in the middle to the aspect ratio, then resized', async () => {
    // Six columns black, twelve white, six black: the middle half of a 24 × 12 image is white.
    const wide = Uint8Array.from({ length: 24 * 12 }, (_, i) => {
      const x = i % 24;
      return x >= 6 && x < 18 ? 255 : 0;
    });
    const path = await folder('cover', { 'a.png': png(24, 12, 0, 8, wide) });
    const found = await pixels(path, { height: 4, width: 4, channels: 1 });
    expect(Math.min(...found)).toBeGreaterThan(200); // the edge's blur aside
    expect(found.slice(5, 7)).toEqual([255, 255]);
  });

  test('JPEG and WebP, grey, CMYK and turned by EXIF', async () => {
    const half = Uint8Array.from({ length: 16 * 8 }, (_, i) => (i % 16 < 8 ? 0 : 255));
    const image = () => raw(half, 16, 8, 1);
    const path = await folder('formats', {
      'a.jpg': await image().jpeg({ quality: 100 }).toBuffer(),
      'b.JPEG': await image().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer(),
      'c.webp': await image().webp({ lossless: true }).toBuffer(),
      // Stored upside down; orientation 3 says to turn it by half a circle.
      'd.jpeg': await image().rotate(180).withMetadata({ orientation: 3 }).jpeg().toBuffer(),
    });
    for (const channels of [1, 3]) {
      const size = { height: 8, width: 16, channels };
      const data = await loadDataset(path, size);
      expect(data.count).toBe(4);
      for (let i = 0; i < data.images.length; i++) {
        const x = Math.floor(i / channels) % 16;
        if (x === 7 || x === 8) continue; // JPEG blurs the edge
        expect(Math.abs((data.images[i] as number) - (x < 8 ? 0 : 255))).toBeLessThan(12);
      }
    }
  });
});
