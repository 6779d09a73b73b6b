/** A picture becomes the same image in Node, where sharp decodes it, and in a page, where Chromium does. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PREPARATION, type Preparation, prepare } from '@gpn/runtime';
import { decode } from '@gpn/training/pictures';
import sharp, { type Sharp } from 'sharp';
import { expect } from 'vitest';
import { pageOf } from './page.js';

/** A picture with slopes, edges and, with four channels, all degrees of transparency. */
const drawn = (width: number, height: number, channels: 1 | 3 | 4): Sharp => {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const [c, x, y] = [
      i % channels,
      Math.floor(i / channels) % width,
      Math.floor(i / channels / width),
    ];
    if (c === 3) return (5 * x + 3 * y) % 256;
    return (x * (3 + c) + y * (7 - c) + (((x >> 3) + (y >> 3)) % 2) * 90) % 256;
  });
  return sharp(data, { raw: { width, height, channels } });
};

const FILES: Record<string, () => Promise<Buffer>> = {
  'landscape.png': () => drawn(97, 61, 3).png().toBuffer(),
  'grey.png': () => drawn(40, 90, 1).png().toBuffer(),
  'clear.png': () => drawn(83, 64, 4).png().toBuffer(),
  'palette.png': () => drawn(64, 64, 3).png({ palette: true, dither: 0 }).toBuffer(),
  'deep.png': () => drawn(50, 70, 3).toColourspace('rgb16').png().toBuffer(),
  'small.png': () => drawn(11, 9, 3).png().toBuffer(),
  'lossless.webp': () => drawn(97, 61, 3).webp({ lossless: true }).toBuffer(),
  'turned.jpg': () =>
    drawn(96, 48, 1).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer(),
};

const { chromium, folder, page } = pageOf(async (path) => {
  for (const [name, make] of Object.entries(FILES)) writeFileSync(join(path, name), await make());
  writeFileSync(join(path, 'index.html'), '<!doctype html><title>pictures</title>');
});

const WHITE: Preparation = { ...PREPARATION, fit: 'contain', background: [255, 255, 255] };

for (const name of Object.keys(FILES)) {
  chromium(name, async () => {
    const { picture } = await decode(readFileSync(join(folder, name)));
    for (const channels of [1, 3]) {
      for (const how of [PREPARATION, WHITE]) {
        const image = { height: 28, width: 24, channels };
        const mine = prepare(picture, image, how);
        const theirs = await page().evaluate<number[]>(`(async () => {
        const { prepare } = await import('./runtime/format/pictures/prepare.js');
        const bitmap = await createImageBitmap(await (await fetch('${name}')).blob());
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
        const context = canvas.getContext('2d');
        context.drawImage(bitmap, 0, 0);
        const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
        return [...prepare(pixels, ${JSON.stringify(image)}, ${JSON.stringify(how)})];
      })()`);
        expect(theirs).toHaveLength(mine.length);
        const off = theirs.map((level, i) => Math.abs(level - (mine[i] as number)));
        expect(Math.max(...off), `${channels} channels, ${how.fit}`).toBeLessThanOrEqual(1);
      }
    }
  });
}
