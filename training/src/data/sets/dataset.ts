/** Data sets: images in memory as bytes, channels last, with a hash that says which they are. */
import { createHash } from 'node:crypto';
import { UserError } from '@gpn/runtime';
import { loadFashion } from './fashion.js';
import { loadFolder } from './folder.js';
import { loadMnist } from './mnist.js';

export type Split = 'train' | 'test';

/** What a loader hands over. */
export interface Images {
  name: string;
  count: number;
  height: number;
  width: number;
  /** 1 grey, 3 RGB. */
  channels: number;
  /** `count` × `height` × `width` × `channels` (NHWC), 0 … 255. */
  images: Uint8Array;
  /** One for each image: the index of its class. */
  labels?: Uint8Array;
  /** The names of the classes; label k means classes[k]. */
  classes?: string[];
}

export interface Dataset extends Images {
  /** SHA-256, hex: see {@link hashImages}. */
  hash: string;
}

export interface DatasetOptions {
  height: number;
  width: number;
  channels: number;
  /** `train` by default. */
  split?: Split;
  /** Keep the images of these classes alone; a digit may be a number. By default, all. */
  classes?: readonly (string | number)[];
  /** Called as images are decoded; reading an IDX file is too quick to call it. */
  onProgress?: (done: number, total: number) => void;
}

/** The data sets that have a name. */
const DATASETS: ReadonlyMap<string, (split: Split) => Promise<Images>> = new Map([
  ['mnist', (split: Split) => loadMnist(split)],
  ['fashion', (split: Split) => loadFashion(split)],
]);

/**
 * Loads a data set whose images have, or are given, the size asked for.
 *
 * @param spec `mnist`, `fashion`, or the path of a folder: see {@link loadFolder}
 * @throws UserError when it is missing, broken, or of another size
 */
export async function loadDataset(spec: string, options: DatasetOptions): Promise<Dataset> {
  const { split = 'train' } = options;
  const load = DATASETS.get(spec);
  const all = load ? await load(split) : await loadFolder(spec, { ...options, split });
  checkSize(all, options);
  const kept = options.classes === undefined ? all : selectClasses(all, options.classes);
  return { ...kept, hash: hashImages(kept) };
}

function checkSize(found: Images, wanted: DatasetOptions): void {
  const size = (of: { height: number; width: number; channels: number }) =>
    `${of.height} × ${of.width} × ${of.channels}`;
  if (size(found) !== size(wanted)) {
    throw new UserError(
      `The images of ${found.name} are ${size(found)} (height × width × channels), the recipe ` +
        `wants ${size(wanted)}: set data.height, data.width and data.channels, or give a folder ` +
        'of PNG, JPEG or WebP images, which are resized.',
    );
  }
}

/**
 * The images of some classes, in their order. Labels and class names stay as they were, so label k
 * keeps its meaning.
 *
 * @throws UserError when the data set has no labels, or no such class, or no image is left
 */
export function selectClasses(data: Images, classes: readonly (string | number)[]): Images {
  const { labels, classes: names } = data;
  if (labels === undefined || names === undefined) {
    throw new UserError(
      `${data.name} has no labels to choose the classes ${classes.join(', ')} by.`,
    );
  }
  const wanted = classes.map((name) => {
    const label = names.indexOf(String(name));
    if (label < 0) {
      throw new UserError(`${data.name} has no class ${name}; it has ${names.join(', ')}.`);
    }
    return label;
  });
  const kept: number[] = [];
  labels.forEach((label, index) => {
    if (wanted.includes(label)) kept.push(index);
  });
  if (kept.length === 0) {
    throw new UserError(`${data.name} has no image of the classes ${classes.join(', ')}.`);
  }
  return {
    ...data,
    count: kept.length,
    images: gather(data.images, data.height * data.width * data.channels, kept),
    labels: gather(labels, 1, kept),
  };
}

/** The same, with its images in memory that threads share: what is sent to one is not copied. */
export function shareImages(data: Dataset): Dataset {
  if (data.images.buffer instanceof SharedArrayBuffer) return data;
  const images = new Uint8Array(new SharedArrayBuffer(data.images.length));
  images.set(data.images);
  return { ...data, images };
}

/** Rows of `size` bytes, at `indices`, one after the other. */
export function gather(rows: Uint8Array, size: number, indices: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = (indices[i] as number) * size;
    out.set(rows.subarray(from, from + size), i * size);
  }
  return out;
}

/**
 * Which images these are: SHA-256, in hex, of the JSON text `[count,height,width,channels]`, the
 * pixels, and the labels if there are any. Names don't count.
 */
export function hashImages(data: Images): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([data.count, data.height, data.width, data.channels]));
  hash.update(data.images);
  if (data.labels) hash.update(data.labels);
  return hash.digest('hex');
}
