// Unusual and hostile pictures: the right pixels, or one sentence.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { UserError } from '@gpn/runtime';
import sharp, { type Create } from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { readPicture } from '../src/pictures.js';

const folder = mkdtempSync(join(tmpdir(), 'gpn-pictures-'));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, bytes: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

const ORANGE = { r: 255, g: 128, b: 0 };
const create: Create = { width: 6, height: 4, channels: 3, background: ORANGE };
const plain = () => sharp({ create });

/** A PNG of which the header alone claims a size; the pixels are a few zeros. */
function claiming(width: number, height: number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const pixels = deflateSync(Buffer.alloc(1000));
  return Buffer.concat([
    ...[signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))],
  ]);
}

describe('readPicture reads', () => {
  const first = async (path: string): Promise<number[]> => {
    const { width, height, data } = await readPicture(path);
    expect([width, height]).toEqual([6, 4]);
    return [...data.slice(0, data.length / 24)];
  };
  const close = (pixel: number[], expected: number[], within: number) => {
    expect(pixel).toHaveLength(expected.length);
    const worst = Math.max(...pixel.map((v, c) => Math.abs(v - (expected[c] as number))));
    expect(worst).toBeLessThanOrEqual(within);
  };

  test('CMYK colours', async () => {
    const bytes = await plain().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(bytes).metadata()).space).toBe('cmyk');
    const pixel = await first(write('cmyk.jpg', bytes));
    expect(pixel).toHaveLength(3); // what colours a press can print differs; their order does not
    expect(
      (pixel[0] as number) > (pixel[1] as number) && (pixel[1] as number) > (pixel[2] as number),
    ).toBe(true);
  });

  test('pixels with alpha', async () => {
    const bytes = await sharp({
      create: { ...create, channels: 4, background: { ...ORANGE, alpha: 0.5 } },
    })
      .png()
      .toBuffer();
    close(await first(write('alpha.png', bytes)), [255, 128, 0, 128], 1);
  });

  test('16 bits per channel', async () => {
    const bytes = await plain().toColourspace('rgb16').png().toBuffer();
    expect((await sharp(bytes).metadata()).depth).toBe('ushort');
    close(await first(write('deep.png', bytes)), [255, 128, 0], 1);
  });

  test('grey pictures and pictures with a palette', async () => {
    const gray = await plain().greyscale().png().toBuffer();
    const pixel = await first(write('gray.png', gray));
    expect(new Set(pixel).size).toBe(1);
    close(
      await first(write('palette.png', await plain().png({ palette: true }).toBuffer())),
      [255, 128, 0],
      2,
    );
  });

  test('the first frame of an animation', async () => {
    const raw = { width: 6, height: 8, channels: 3 as const, pageHeight: 4 };
    const pixels = Buffer.concat([Buffer.alloc(72, 0), Buffer.alloc(72, 255)]);
    const bytes = await sharp(pixels, { raw })
      .gif({ delay: [50, 50] })
      .toBuffer();
    expect((await sharp(bytes, { pages: -1 }).metadata()).pages).toBe(2);
    const pixel = await first(write('moving.gif', bytes));
    expect(pixel.slice(0, 3)).toEqual([0, 0, 0]);
  });

  test('a picture that EXIF says to rotate', async () => {
    const bytes = await sharp({ create: { ...create, width: 4, height: 6 } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    await first(write('turned.jpg', bytes));
  });
});

describe('readPicture refuses', () => {
  test.each<[string, Uint8Array | string]>([
    ['30,000 × 30,000', claiming(30_000, 30_000)],
    ['2^31 − 1 wide', claiming(2 ** 31 - 1, 1)],
    ['0 × 0', claiming(0, 0)],
    ['more pixels than it holds', claiming(4000, 4000)],
    [
      'an SVG of any size',
      '<svg xmlns="http://www.w3.org/2000/svg" width="32000" height="32000"/>',
    ],
    ['nothing', ''],
    ['text', 'no picture'],
    ['half a header', claiming(8, 8).slice(0, 20)],
  ])('%s', async (name, bytes) => {
    const path = write(`${name.replace(/\W/g, '')}.png`, bytes);
    const before = process.memoryUsage().rss;
    const error = await readPicture(path).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(/^[^\n]+\.png (is|has) [^\n]+\.$/);
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
  });
});
