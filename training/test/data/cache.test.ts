import { appendFile, mkdir, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '@gpn/runtime';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { rowsAt } from '../../src/data/rows.js';
import { loadDataset } from '../../src/data/sets/dataset.js';
import type { DatasetOptions } from '../../src/data/types.js';
import { temporaryFolder } from '../temp-folder.js';

const dir = await temporaryFolder();
const SIZE = { height: 3, width: 4, channels: 3 };

/** Two classes of ten pictures of 8 × 6, each of its own shade, and a file that cannot be read. */
async function pictures(name: string): Promise<string> {
  for (let k = 0; k < 20; k++) {
    const path = join(dir, name, k % 2 ? 'odd' : 'even', `${String(k).padStart(2, '0')}.png`);
    await mkdir(dirname(path), { recursive: true });
    const data = Uint8Array.from({ length: 8 * 6 }, (_, i) => 10 * k + (i % 8));
    await sharp(data, { raw: { width: 8, height: 6, channels: 1 } })
      .png()
      .toFile(path);
  }
  await writeFile(join(dir, name, 'odd/bad.png'), '');
  return join(dir, name);
}

/** Loads, and says how many files were decoded and what was said. */
async function load(folder: string, cache: string, options: Partial<DatasetOptions> = {}) {
  const notes: string[] = [];
  let decoded = 0;
  const data = await loadDataset(folder, {
    ...SIZE,
    cache,
    skipUnreadable: true,
    onProgress: () => decoded++,
    onNote: (text) => notes.push(text),
    ...options,
  });
  return { data, decoded, notes };
}

const entries = (cache: string) => readdir(cache).then((names) => names.sort());

describe('a folder of pictures with a cache', () => {
  test('is decoded once', async () => {
    const [folder, cache] = [await pictures('once'), join(dir, 'once-cache')];
    const first = await load(folder, cache);
    expect(first.decoded).toBe(20);
    expect(first.notes).toEqual([
      `1 of 21 images of ${folder} was left out: odd/bad.png is empty.`,
    ]);
    const second = await load(folder, cache);
    expect(second).toEqual({ ...first, decoded: 0 });
    expect(await entries(cache)).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.images$/)]);
    const without = await loadDataset(folder, { ...SIZE, skipUnreadable: true });
    expect(second.data).toEqual(without);
  });

  test('is decoded again for another size, preparation, or changed file', async () => {
    const [folder, cache] = [await pictures('again'), join(dir, 'again-cache')];
    await load(folder, cache);
    expect((await load(folder, cache, { width: 3 })).decoded).toBe(20);
    const preparation = {
      grey: 'bt601' as const,
      fit: 'contain' as const,
      filter: 'triangle' as const,
      background: [0, 0, 0] as [number, number, number],
    };
    expect((await load(folder, cache, { preparation })).decoded).toBe(20);
    await rm(join(folder, 'odd/01.png'));
    const { data, decoded } = await load(folder, cache);
    expect([data.count, decoded]).toEqual([19, 19]);
    await utimes(join(folder, 'odd/03.png'), new Date(), new Date(1e12));
    expect((await load(folder, cache)).decoded).toBe(19);
  });

  test.each<[string, (path: string) => Promise<void>]>([
    ['cut short', (path) => truncate(path, 100)],
    ['longer than it says', (path) => appendFile(path, 'more')],
    ['empty', (path) => truncate(path, 0)],
  ])('is decoded again if its entry is %s', async (name, damage) => {
    const [folder, cache] = [await pictures(name), join(dir, `${name}-cache`)];
    const first = await load(folder, cache);
    const [entry] = await entries(cache);
    await damage(join(cache, entry as string));
    expect(await load(folder, cache)).toEqual(first);
    expect((await load(folder, cache)).decoded).toBe(0);
  });

  test('stays in the file if it is too large for the memory, and gives the same batches', async () => {
    const [folder, cache] = [await pictures('large'), join(dir, 'large-cache')];
    const { data: whole } = await load(folder, join(dir, 'other-cache'));
    for (const expected of [20, 0]) {
      const { data, decoded } = await load(folder, cache, { memory: 0 });
      expect(decoded).toBe(expected);
      expect(data.images).toHaveLength(0);
      expect(data).toMatchObject({ hash: whole.hash, labels: whole.labels, unread: whole.unread });
      const some = [19, 0, 7, 7];
      expect(rowsAt(data, some)).toEqual(rowsAt(whole, some));
      const all = [...Array(20).keys()];
      expect(rowsAt(data, all)).toEqual(new Uint8Array(whole.images));
    }
    const odd = { classes: ['odd'] };
    const { data: some } = await load(folder, cache, { memory: 0, ...odd });
    const { data: expected } = await load(folder, cache, odd);
    expect(some.hash).toBe(expected.hash);
    expect(rowsAt(some, [9, 1])).toEqual(rowsAt(expected, [9, 1]));
  });

  test('is loaded without a cache that cannot be written, unless there is no other place', async () => {
    const folder = await pictures('unwritable');
    const cache = join(dir, 'a-file');
    await writeFile(cache, '');
    expect((await load(folder, cache)).data.count).toBe(20);
    await expect(load(folder, cache, { memory: 0 })).rejects.toThrow(UserError);
  });

  test('leaves nothing behind if it is refused, and forgets what was not used for a month', async () => {
    const [folder, cache] = [await pictures('refused'), join(dir, 'refused-cache')];
    await expect(load(folder, cache, { skipUnreadable: false })).rejects.toThrow(UserError);
    expect(await entries(cache)).toEqual([]);
    const old = join(cache, 'old.images');
    await writeFile(old, '');
    await utimes(old, new Date(0), new Date(0));
    await load(folder, cache);
    expect(await entries(cache)).toHaveLength(1);
  });
});
