import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { UserError } from '@gpn/runtime';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../src/data/sets/dataset.js';
import { temporaryFolder } from '../temp-folder.js';
import { ramp } from './idx-file.js';

const dir = await temporaryFolder();

async function folder(name: string, files: Record<string, Uint8Array | string>): Promise<string> {
  for (const [file, bytes] of Object.entries(files)) {
    const path = join(dir, name, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
  return join(dir, name);
}

const raw = (pixels: Uint8Array, width: number, height: number, channels: 1 | 2 | 3 | 4) =>
  sharp(pixels, { raw: { width, height, channels } });

/** A PNG, written from its specification: colour type 0 grey, 2 RGB, 4 grey + alpha, 6 RGBA. */
function png(width: number, height: number, type: number, depth: number, rows: Uint8Array): Buffer {
  const chunk = (name: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, type], 8);
  const scan = rows.length / height;
  const filtered = Buffer.concat(
    Array.from({ length: height }, (_, y) => [
      Uint8Array.of(0),
      rows.subarray(y * scan, (y + 1) * scan),
    ]).flat(),
  );
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(filtered)),
    chunk('IEND', new Uint8Array()),
  ]);
}

const GREY = { height: 2, width: 4, channels: 1 };
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

describe('a folder of images:', () => {
  const shade = (value: number) => png(4, 2, 0, 8, new Uint8Array(8).fill(value));
  const shades = async (path: string) => {
    const data = await loadDataset(path, GREY);
    return { ...data, shades: [...data.images].filter((_, i) => i % 8 === 0) };
  };

  test('files in order of their names; other files and hidden ones are passed over', async () => {
    const path = await folder('flat', {
      'b.png': shade(2),
      'B.png': shade(1),
      'a10.png': shade(3),
      'a9.png': shade(4),
      'notes.txt': 'hello',
      '.hidden.png': 'not an image',
      '__MACOSX/x.png': 'not an image',
    });
    const data = await shades(path);
    expect(data).toMatchObject({ name: 'flat', count: 4 });
    expect(data.shades).toEqual([1, 3, 4, 2]);
    expect(data.labels).toBeUndefined();
  });

  test('sub-folders are classes, in order of their names, at any depth', async () => {
    const path = await folder('classes', {
      'dog/1.png': shade(30),
      'cat/deep/er/2.png': shade(12),
      'cat/1.png': shade(11),
    });
    await symlink(await folder('elsewhere', { 'x.png': shade(20) }), join(path, 'cow'));
    const data = await shades(path);
    expect(data.classes).toEqual(['cat', 'cow', 'dog']);
    expect([...(data.labels ?? [])]).toEqual([0, 0, 1, 2]);
    expect(data.shades).toEqual([11, 12, 20, 30]);
    const cats = await loadDataset(path, { ...GREY, classes: ['cat'] });
    expect(cats.count).toBe(2);
  });

  test('classes in natural order and by normalised names', async () => {
    const names = ['10', '9', '1', '2', 'cafe\u0301'];
    const path = await folder(
      'natural',
      Object.fromEntries(names.map((name, i) => [`${name}/a.png`, shade(i)])),
    );
    const data = await shades(path);
    expect(data.classes).toEqual(['1', '2', '9', '10', 'café']);
    expect(data.shades).toEqual([2, 3, 1, 0, 4]);
    for (const name of ['café', 'cafe\u0301']) {
      expect((await loadDataset(path, { ...GREY, classes: [name] })).images[0]).toBe(4);
    }
  });

  test('pictures are known by their contents; kinds that are not read are counted', async () => {
    const gif = await raw(new Uint8Array(24).fill(7), 4, 2, 3).gif().toBuffer();
    const tiff = await raw(new Uint8Array(8).fill(8), 4, 2, 1).tiff().toBuffer();
    const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
    const path = await folder('kinds', {
      'a.gif': gif,
      'b.png': gif,
      'c.tif': tiff,
      'd.jfif': await raw(new Uint8Array(8).fill(9), 4, 2, 1).jpeg().toBuffer(),
      'e.HEIC': heic,
      'f.jpg': heic,
      'g.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>',
      'Thumbs.db': 'x',
      '@eaDir/a.png': shade(1),
    });
    const notes: string[] = [];
    const data = await loadDataset(path, { ...GREY, onNote: (text) => notes.push(text) });
    expect([...data.images].filter((_, i) => i % 8 === 0)).toEqual([7, 7, 8, 9]);
    expect(notes).toEqual([
      `3 files of ${path} were not read: 2 HEIC (convert to JPEG or PNG, as with heif-convert or ImageMagick), 1 SVG (draw as PNG at the size that you need, as with rsvg-convert).`,
    ]);
    const none = await folder('heic', { 'a.heic': heic });
    await expect(loadDataset(none, GREY)).rejects.toThrow(
      `${none} has no images that can be read: 1 HEIC (convert to JPEG or PNG, as with heif-convert or ImageMagick).`,
    );
  });

  test('train, val and test are parts and not classes', async () => {
    const path = await folder('parts', {
      'train/cat/a.png': shade(1),
      'train/dog/a.png': shade(2),
      'Test/dog/b.png': shade(3),
      'val/cat/c.png': shade(4),
    });
    const notes: string[] = [];
    const train = await loadDataset(path, { ...GREY, onNote: (text) => notes.push(text) });
    expect(train).toMatchObject({ count: 2, classes: ['cat', 'dog'] });
    const test = await loadDataset(path, { ...GREY, split: 'test' });
    expect(test).toMatchObject({ count: 1, classes: ['cat', 'dog'] });
    expect([...(test.labels ?? [])]).toEqual([1]);
    expect(notes).toEqual([
      `${path} is divided into train (2 images), val (1 image) and test (1 image), which are not classes.`,
    ]);
    // Beside other names, train is a class of its own.
    const vehicles = await folder('vehicles', { 'bus/a.png': shade(1), 'train/a.png': shade(2) });
    expect((await loadDataset(vehicles, GREY)).classes).toEqual(['bus', 'train']);
  });

  test('a link that leads nowhere is named', async () => {
    const path = await folder('dangling', { 'a.png': shade(1) });
    await symlink('nowhere', join(path, 'b.png'));
    await expect(loadDataset(path, GREY)).rejects.toThrow(
      `1 of 2 images of ${path} cannot be read: b.png is a link to a file that does not exist; `,
    );
  });

  test('many images arrive in order, and progress counts each', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [`${String(i).padStart(3, '0')}.png`, shade(i)]),
    );
    const path = await folder('many', files);
    const seen: [number, number][] = [];
    const data = await loadDataset(path, {
      ...GREY,
      onProgress: (done, total) => seen.push([done, total]),
    });
    expect([...data.images].filter((_, i) => i % 8 === 0)).toEqual([...Array(50).keys()]);
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => [i + 1, 50]));
  });
});

describe('a folder of images is refused for', () => {
  const good = png(4, 2, 0, 8, ramp(8));
  const jpeg = () =>
    raw(noise(64 * 64), 64, 64, 1)
      .jpeg()
      .toBuffer();

  test.each<[string, () => Promise<Uint8Array | string>, string]>([
    ['text.png', async () => 'this is no image', 'is not a picture, whatever its name says'],
    ['empty.jpg', async () => '', 'is empty'],
    ['cut.png', async () => png(64, 64, 0, 8, noise(64 * 64)).subarray(0, 2000), 'is cut short'],
    ['cut.jpg', async () => (await jpeg()).subarray(0, 900), 'is cut short'],
    ['two-bytes-short.jpg', async () => (await jpeg()).subarray(0, -2), 'is cut short'],
    [
      'float.tif',
      async () => floatTiff(new Uint8Array(Float32Array.of(0, 1).buffer), 3),
      'holds float values, of which nothing says what is black and white (convert it to 8 or 16 bits)',
    ],
    [
      'int.tif',
      async () => floatTiff(new Uint8Array(Int32Array.of(0, 1000).buffer), 2),
      'holds int values, of which nothing says what is black and white (convert it to 8 or 16 bits)',
    ],
    [
      'huge.png',
      async () => png(20_000, 20_000, 0, 8, new Uint8Array(20_000)),
      'has 400 megapixels (20000 × 20000), and at most 134 are read',
    ],
  ])('%s, which is named with the reason', async (name, bytes, reason) => {
    const path = await folder(`bad-${name}`, { 'a.png': good, [name]: await bytes() });
    await expect(loadDataset(path, GREY)).rejects.toThrow(
      new UserError(
        `1 of 2 images of ${path} cannot be read: ${name} ${reason}; repair or remove them, ` +
          'or set data.skip_unreadable: true to go on without them.',
      ),
    );
    const notes: string[] = [];
    const data = await loadDataset(path, {
      ...GREY,
      skipUnreadable: true,
      onNote: (text) => notes.push(text),
    });
    expect(data).toMatchObject({ count: 1, unread: [{ file: name, reason }] });
    expect([...data.images]).toEqual([...ramp(8)]);
    expect(notes).toEqual([`1 of 2 images of ${path} was left out: ${name} ${reason}.`]);
  });

  test('many broken files at once, of which it names five', async () => {
    const broken = Array.from({ length: 9 }, (_, i) => [`${i}.png`, ''] as const);
    const path = await folder('many-broken', { 'a.png': good, ...Object.fromEntries(broken) });
    await expect(loadDataset(path, GREY)).rejects.toThrow(
      `9 of 10 images of ${path} cannot be read: 0.png is empty, 1.png is empty, 2.png is empty, 3.png is empty, 4.png is empty and 4 more; `,
    );
  });

  test('a class without images', async () => {
    const path = await folder('empty-class', { 'cat/a.png': good, 'dog/notes.txt': 'none' });
    await expect(loadDataset(path, GREY)).rejects.toThrow(
      new UserError(
        `${join(path, 'dog')} holds no image that can be read, though the folders beside it are classes; put images into it, or remove it.`,
      ),
    );
  });

  test('nothing to read, images beside classes, no test set', async () => {
    const empty = await folder('nothing', { 'notes.txt': '' });
    await expect(loadDataset(empty, GREY)).rejects.toThrow(
      new UserError(
        `${empty} has no images (PNG, JPEG, WebP, AVIF, GIF or TIFF), and no IDX files such as train-images-idx3-ubyte.`,
      ),
    );
    const mixed = await folder('mixed', { 'a.png': good, 'cat/b.png': good });
    await expect(loadDataset(mixed, GREY)).rejects.toThrow(
      new UserError(
        `${mixed} has images beside its sub-folders (a.png); move them into sub-folders, whose names are the classes, or have no sub-folders.`,
      ),
    );
    await expect(loadDataset(mixed, { ...GREY, split: 'test' })).rejects.toThrow(UserError);
  });

  test('having more than 256 classes', async () => {
    const files = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`${i}/a.png`, good]));
    const path = await folder('crowd', files);
    await expect(loadDataset(path, GREY)).rejects.toThrow(
      new UserError(`${path} has 257 sub-folders of images; at most 256 are allowed.`),
    );
  });
});

/** Bytes that no codec makes small, the same each time. */
function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** A grey TIFF of 32 bits a pixel, 2 × 1; format 2 is signed whole numbers, 3 floats. */
function floatTiff(values: Uint8Array, format: 2 | 3): Buffer {
  const entries: readonly (readonly [tag: number, type: 3 | 4, value: number])[] = [
    [256, 3, 2],
    [257, 3, 1],
    [258, 3, 32],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, 8],
    [277, 3, 1],
    [278, 3, 1],
    [279, 4, 8],
    [339, 3, format],
  ];
  const directory = Buffer.alloc(2 + 12 * entries.length + 4);
  directory.writeUInt16LE(entries.length, 0);
  entries.forEach(([tag, type, value], k) => {
    directory.writeUInt16LE(tag, 2 + 12 * k);
    directory.writeUInt16LE(type, 4 + 12 * k);
    directory.writeUInt32LE(1, 6 + 12 * k);
    directory.writeUInt32LE(value, 10 + 12 * k);
  });
  const header = Buffer.from([0x49, 0x49, 42, 0, 16, 0, 0, 0]);
  return Buffer.concat([header, values.subarray(0, 8), directory]);
}
