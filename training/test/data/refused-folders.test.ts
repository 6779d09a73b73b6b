import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../src/data/sets/dataset.js';
import { ramp } from './idx-file.js';
import { folder, GREY, png, raw } from './picture-files.js';

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
