import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../src/data/sets/dataset.js';
import { folder, GREY, png, raw } from './picture-files.js';

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
    expect(data.shares).toEqual([0.5, 0.25, 0.25]);
    const cats = await loadDataset(path, { ...GREY, classes: ['cat'] });
    expect(cats).toMatchObject({ count: 2, shares: [1, 0, 0] });
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
