/**
 * CIFAR-10's binary format. Each image is one byte for the label, then 32 × 32 bytes each of red,
 * green and blue, row by row. https://www.cs.toronto.edu/~kriz/cifar.html
 */
import { basename, join, resolve } from 'node:path';
import { UserError } from '@gpn/runtime';
import { exists } from '../../files/atomic.js';
import { allocate } from '../images.js';
import type { Images, Split } from '../types.js';
import { readUnzipped } from './idx.js';
import { checkLabels } from './labels.js';

const FILES: Readonly<Record<Split, readonly string[]>> = {
  train: [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`),
  test: ['test_batch.bin'],
};
/** The file with the names of the classes, one on each line. */
const NAMES = 'batches.meta.txt';

const CLASSES = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

const SIZE = { height: 32, width: 32, channels: 3 };
const PLANE = SIZE.height * SIZE.width;
const PIXELS = PLANE * SIZE.channels;
const RECORD = 1 + PIXELS;

/** Whether a folder with these file names is in CIFAR-10's format. */
export const isCifar10 = (names: readonly string[]): boolean =>
  [...FILES.train, ...FILES.test].some((name) => names.includes(name));

/**
 * Reads one split of a folder in CIFAR-10's format: the five files of training images or the file of
 * test images, each with any number of images. The names of the classes come from
 * `batches.meta.txt` if it exists.
 *
 * @throws UserError naming the file that is missing or broken
 */
export async function loadCifar10(folder: string, split: Split): Promise<Images> {
  const parts: Uint8Array[] = [];
  for (const name of FILES[split]) parts.push(await readRecords(folder, name));
  const count = parts.reduce((sum, { length }) => sum + length / RECORD, 0);
  const images = allocate(count * PIXELS, folder);
  const labels = new Uint8Array(count);
  let done = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += RECORD, done++) {
      labels[done] = part[at] as number;
      interleave(part.subarray(at + 1, at + RECORD), images, done * PIXELS);
    }
  }
  const classes = await classNames(folder);
  return { name: basename(resolve(folder)), count, ...SIZE, images, labels, classes };
}

async function readRecords(folder: string, name: string): Promise<Uint8Array> {
  const path = join(folder, name);
  if (!(await exists(path))) {
    throw new UserError(`${folder} has no file ${name}, which is a part of CIFAR-10; add it.`);
  }
  const bytes = await readUnzipped(path);
  const count = bytes.length / RECORD;
  if (count === 0 || !Number.isInteger(count)) {
    throw new UserError(
      `${path} is not a usable CIFAR-10 file: expected ${RECORD} bytes for each image (a label ` +
        `and 32 × 32 × 3 pixels), found ${bytes.length} bytes; download it again.`,
    );
  }
  const labels = Uint8Array.from({ length: count }, (_, i) => bytes[i * RECORD] as number);
  checkLabels(labels, count, CLASSES.length, path);
  return bytes;
}

/** Converts planes of red, green and blue to interleaved RGB pixels. */
function interleave(planes: Uint8Array, to: Uint8Array, at: number): void {
  for (let channel = 0; channel < SIZE.channels; channel++) {
    for (let pixel = 0; pixel < PLANE; pixel++) {
      to[at + pixel * SIZE.channels + channel] = planes[channel * PLANE + pixel] as number;
    }
  }
}

async function classNames(folder: string): Promise<string[]> {
  const path = join(folder, NAMES);
  if (!(await exists(path))) return [...CLASSES];
  const lines = new TextDecoder().decode(await readUnzipped(path)).split('\n');
  const names = lines.map((line) => line.trim()).filter((line) => line !== '');
  if (names.length !== CLASSES.length || new Set(names).size !== names.length) {
    throw new UserError(
      `${path} must have ${CLASSES.length} different names of classes, one a line, found ` +
        `${new Set(names).size}; repair or remove it.`,
    );
  }
  return names;
}
