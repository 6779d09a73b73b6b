/** The user's own data: a folder of IDX files, CIFAR-10 files or images. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { UserError } from '@gpn/runtime';
import { fileError } from '../../files/atomic.js';
import { isCifar10, loadCifar10 } from '../format/cifar10.js';
import { readIdx } from '../format/idx.js';
import { checkLabels } from '../format/labels.js';
import { filesBelow } from '../pictures/files.js';
import { listPictures } from '../pictures/listing.js';
import { loadPictures, type PictureOptions } from '../pictures/load.js';
import type { Images, Split } from '../types.js';

/**
 * Loads a folder of one of these kinds:
 * - IDX files named like MNIST's (`train-images-idx3-ubyte`; a dot may replace the second dash, .gz
 *   is allowed, labels are optional), which keep their size;
 * - CIFAR-10's binary files (`data_batch_1.bin`), which keep their size;
 * - pictures (PNG, JPEG, WebP, AVIF, GIF, TIFF), which are resized; sub-folders, if there are any, are
 *   the classes, or the parts `train`, `val` and `test`.
 *
 * @throws UserError if there is nothing to read or a file cannot be read
 */
export async function loadFolder(path: string, options: PictureOptions): Promise<Images> {
  const { images, labels, cifar10 } = await filesOf(path, options.split);
  if (images !== undefined) return loadIdxPair(path, images, labels);
  return cifar10 ? loadCifar10(path, options.split) : loadPictures(path, options);
}

/** Whether there are training images in a folder. @throws UserError if there is nothing to read */
export async function checkFolder(path: string): Promise<void> {
  const { images, cifar10 } = await filesOf(path, 'train');
  if (images === undefined && !cifar10) await listPictures(path, await filesBelow(path));
}

/** What a folder holds: IDX files of a part, by their names, CIFAR-10's, or neither. */
async function filesOf(path: string, split: Split) {
  const names = await list(path);
  const idx = idxFiles(names, split);
  if (idx.images === undefined && names.some((name) => IDX_NAME.test(name))) {
    throw new UserError(`${path} has no file ${idxName(split, 'images')}, plain or .gz.`);
  }
  return { ...idx, cifar10: isCifar10(names) };
}

async function list(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) {
      throw new UserError(`${path} is a file; give the folder of IDX files or of images.`);
    }
    return await readdir(path);
  } catch (error) {
    throw fileError('read', path, error);
  }
}

const IDX_NAME = /^(train|t10k)-(images|labels)[-.]idx[13]-ubyte(\.gz)?$/;

const idxName = (split: Split, part: 'images' | 'labels') =>
  `${split === 'train' ? 'train' : 't10k'}-${part}-idx${part === 'images' ? 3 : 1}-ubyte`;

function idxFiles(names: string[], split: Split): { images?: string; labels?: string } {
  const find = (part: 'images' | 'labels') => {
    const dashed = idxName(split, part);
    const spellings = [dashed, dashed.replace('-idx', '.idx')];
    return [...spellings, ...spellings.map((name) => `${name}.gz`)].find((n) => names.includes(n));
  };
  return { images: find('images'), labels: find('labels') };
}

async function loadIdxPair(folder: string, images: string, labels?: string): Promise<Images> {
  const pixels = await readIdx(join(folder, images), 3);
  const [count = 0, height = 0, width = 0] = pixels.shape;
  const shape = { count, height, width, channels: 1 };
  const data = { name: basename(resolve(folder)), ...shape, images: pixels.data };
  if (labels === undefined) return data;
  const marks = (await readIdx(join(folder, labels), 1)).data;
  const classes = marks.reduce((most, label) => Math.max(most, label + 1), 0);
  checkLabels(marks, count, classes, join(folder, labels));
  const names = Array.from({ length: classes }, (_, label) => String(label));
  return { ...data, labels: marks, classes: names };
}
