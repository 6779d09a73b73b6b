/** Fashion-MNIST (Xiao, Rasul and Vollgraf 2017), which Debian packages. */
import type { Images, Split } from '../types.js';
import { loadOriginals } from './originals.js';

/** The folder in which Debian's package `dataset-fashion-mnist` installs the four files. */
const DEBIAN_FOLDER = '/usr/share/datasets/fashion-mnist';

/** The original files of each split, with the MD5 of their unpacked contents. */
const FILES = {
  train: {
    images: { name: 'train-images-idx3-ubyte', md5: 'f4a8712d7a061bf5bd6d2ca38dc4d50a' },
    labels: { name: 'train-labels-idx1-ubyte', md5: '9018921c3c673c538a1fc5bad174d6f9' },
  },
  test: {
    images: { name: 't10k-images-idx3-ubyte', md5: '8181f5470baa50b63fa0f6fddb340f0a' },
    labels: { name: 't10k-labels-idx1-ubyte', md5: '15d484375f8d13e6eb1aabb0c3f46965' },
  },
} as const;

const CLASSES = [
  't-shirt/top',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
] as const;

const REMEDY =
  'on Debian and Ubuntu run `apt-get install dataset-fashion-mnist`, elsewhere put ' +
  `train-images-idx3-ubyte.gz (MD5 unpacked: ${FILES.train.images.md5}), ` +
  'train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz from ' +
  'https://github.com/zalandoresearch/fashion-mnist into a folder and give it with --data FOLDER';

/**
 * Reads Fashion-MNIST: 60,000 (train) or 10,000 (test) labelled grey images of clothes, 28 × 28
 * pixels.
 *
 * @param folder with the four files, plain or .gz; that of Debian's package by default
 * @throws UserError if the files are missing (with instructions) or are not the originals
 */
export const loadFashion = (split: Split, folder = DEBIAN_FOLDER): Promise<Images> =>
  loadOriginals(
    { name: 'fashion', title: 'Fashion-MNIST', classes: CLASSES, files: FILES, remedy: REMEDY },
    split,
    folder,
  );
