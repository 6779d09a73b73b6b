import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { UserError } from '@gpn/runtime';
import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../src/data/sets/dataset.js';
import { temporaryFolder } from '../temp-folder.js';
import { idxFile, ramp } from './idx-file.js';

const dir = await temporaryFolder();

async function folder(name: string, files: Record<string, Uint8Array | string>): Promise<string> {
  const path = join(dir, name);
  await mkdir(path);
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(path, file), bytes);
  return path;
}

const SIZE = { height: 3, width: 2, channels: 1 };
const images = idxFile([4, 3, 2], ramp(24));
const labels = idxFile([4], [2, 0, 2, 1]);

describe('a folder of IDX files', () => {
  test.each([
    ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte', 'train'],
    ['train-images.idx3-ubyte.gz', 'train-labels.idx1-ubyte', 'train'],
    ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz', 'test'],
  ] as const)('%s + %s', async (imageFile, labelFile, split) => {
    const pack = (name: string, bytes: Uint8Array) =>
      name.endsWith('.gz') ? gzipSync(bytes) : bytes;
    const path = await folder(imageFile, {
      [imageFile]: pack(imageFile, images),
      [labelFile]: pack(labelFile, labels),
    });
    const data = await loadDataset(path, { ...SIZE, split });
    expect(data).toMatchObject({ name: imageFile, count: 4, ...SIZE, classes: ['0', '1', '2'] });
    expect([...data.images]).toEqual([...ramp(24)]);
    expect([...(data.labels ?? [])]).toEqual([2, 0, 2, 1]);
  });

  test('may have no labels unless classes are chosen', async () => {
    const path = await folder('unlabelled', { 'train-images-idx3-ubyte': images });
    expect((await loadDataset(path, SIZE)).labels).toBeUndefined();
    await expect(loadDataset(path, { ...SIZE, classes: [1] })).rejects.toThrow(
      new UserError('unlabelled has no labels to choose the classes 1 by.'),
    );
  });

  test('keeps the order, labels and names of the chosen classes', async () => {
    const path = await folder('chosen', {
      'train-images-idx3-ubyte': images,
      'train-labels-idx1-ubyte': labels,
    });
    const all = await loadDataset(path, SIZE);
    const data = await loadDataset(path, { ...SIZE, classes: ['2', 1] });
    expect(data.count).toBe(3);
    expect([...(data.labels ?? [])]).toEqual([2, 2, 1]);
    expect(data.classes).toEqual(['0', '1', '2']);
    const row = (i: number) => [...ramp(24).slice(6 * i, 6 * i + 6)];
    expect([...data.images]).toEqual([...row(0), ...row(2), ...row(3)]);
    expect(data.hash).not.toBe(all.hash);
    await expect(loadDataset(path, { ...SIZE, classes: [7] })).rejects.toThrow(
      new UserError('chosen has no class 7; it has 0, 1, 2.'),
    );
    const gap = await folder('gap', {
      'train-images-idx3-ubyte': images,
      'train-labels-idx1-ubyte': idxFile([4], [2, 0, 2, 0]),
    });
    await expect(loadDataset(gap, { ...SIZE, classes: [1] })).rejects.toThrow(
      new UserError('gap has no image of the classes 1.'),
    );
  });

  test('is refused with labels of other images, images of another size or another split', async () => {
    const path = await folder('wrong', {
      'train-images-idx3-ubyte': images,
      'train-labels-idx1-ubyte': idxFile([3], [0, 1, 2]),
    });
    await expect(loadDataset(path, SIZE)).rejects.toThrow(
      new UserError(
        `${join(path, 'train-labels-idx1-ubyte')} has 3 labels for 4 images; the files do not belong together.`,
      ),
    );
    const other = await folder('other', { 'train-images-idx3-ubyte': images });
    await expect(loadDataset(other, { ...SIZE, height: 28 })).rejects.toThrow(
      /^The images of other are 3 × 2 × 1 .* the recipe needs 28 × 2 × 1/,
    );
    await expect(loadDataset(other, { ...SIZE, split: 'test' })).rejects.toThrow(
      new UserError(`${other} has no file t10k-images-idx3-ubyte, plain or .gz.`),
    );
  });
});

test('the hash of a data set is of its shape, pixels and labels', async () => {
  const hashes = new Set<string>();
  const variants: Record<string, Uint8Array>[] = [
    { 'train-images-idx3-ubyte': images },
    { 'train-images-idx3-ubyte': images, 'train-labels-idx1-ubyte': labels },
    { 'train-images-idx3-ubyte': idxFile([4, 3, 2], ramp(24).fill(9, 23)) },
  ];
  for (const [i, files] of variants.entries()) {
    hashes.add((await loadDataset(await folder(`hash-${i}`, files), SIZE)).hash);
  }
  const reshaped = await folder('reshaped', {
    'train-images-idx3-ubyte': idxFile([4, 2, 3], ramp(24)),
  });
  hashes.add((await loadDataset(reshaped, { height: 2, width: 3, channels: 1 })).hash);
  expect(hashes.size).toBe(4);
  const copy = await folder('renamed', { 'train-images.idx3-ubyte.gz': gzipSync(images) });
  expect((await loadDataset(copy, SIZE)).hash).toBe([...hashes][0]);
  // python3 -c "import hashlib; print(hashlib.sha256(b'[4,3,2,1]' + bytes(range(24))).hexdigest())"
  expect([...hashes][0]).toBe('5d0ae68be6450777e802bfb9c5b614b5e0573ad1d8ae2e4526a955e4a04f5670');
});

test('a data set at a missing path or a file is refused', async () => {
  const missing = join(dir, 'missing');
  await expect(loadDataset(missing, SIZE)).rejects.toThrow(
    new UserError(`Cannot read ${missing}: no such file or folder.`),
  );
  const file = join(await folder('single', { 'a.png': '' }), 'a.png');
  await expect(loadDataset(file, SIZE)).rejects.toThrow(
    new UserError(`${file} is a file; give the folder of IDX files or of images.`),
  );
});
