/** Data sets of four well-known IDX files, which are verified by their checksums. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { exists } from '../../files/atomic.js';
import { parseIdx, readUnzipped } from '../format/idx.js';
import { checkLabels } from '../format/labels.js';
import type { Images, Split } from '../types.js';

/** An original file and the MD5 of its unpacked contents. */
interface Original {
  readonly name: string;
  readonly md5: string;
}

/** A data set of original files. */
export interface Originals {
  /** Its name in recipes. */
  readonly name: string;
  /** Its name in messages. */
  readonly title: string;
  readonly classes: readonly string[];
  readonly files: Readonly<Record<Split, { readonly images: Original; readonly labels: Original }>>;
  /** How to get the files, as the end of a sentence. */
  readonly remedy: string;
}

/**
 * Reads one split of a data set from a folder with its files, plain or .gz.
 *
 * @throws UserError if the files are missing (with instructions) or are not the originals
 */
export async function loadOriginals(
  set: Originals,
  split: Split,
  folder: string | undefined,
): Promise<Images> {
  const { title, remedy } = set;
  const files = set.files[split];
  const imagesPath = await find(folder, files.images.name);
  if (folder === undefined || imagesPath === undefined) {
    throw new UserError(`${title} is not installed: ${remedy}.`);
  }
  const labelsPath = (await find(folder, files.labels.name)) ?? join(folder, files.labels.name);
  const images = await readOne(imagesPath, 3);
  const labels = await readOne(labelsPath, 1);
  const [count = 0, height = 0, width = 0] = images.shape;
  checkLabels(labels.data, count, set.classes.length, labels.path);
  // Checked last, because the earlier checks say more about a truncated or foreign file.
  for (const [file, { md5 }] of [
    [images, files.images] as const,
    [labels, files.labels] as const,
  ]) {
    if (file.md5 === md5) continue;
    throw new UserError(
      `${file.path} is not ${title}'s original (its MD5 is ${file.md5}, expected ${md5}): ${remedy}.`,
    );
  }
  const shape = { count, height, width, channels: 1 };
  const classes = [...set.classes];
  return { name: set.name, ...shape, images: images.data, labels: labels.data, classes };
}

async function find(folder: string | undefined, name: string): Promise<string | undefined> {
  if (folder === undefined) return undefined;
  for (const path of [join(folder, name), join(folder, `${name}.gz`)]) {
    if (await exists(path)) return path;
  }
  return undefined;
}

async function readOne(path: string, rank: number) {
  const bytes = await readUnzipped(path);
  const md5 = createHash('md5').update(bytes).digest('hex');
  return { path, md5, ...parseIdx(bytes, path, rank) };
}
