/** What is to be scored: a list of paths in a file, a folder, or a pattern. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { fileError } from '@gpn/training/atomic';
import { filesBelow, inspectionIn, likelyPictures } from '@gpn/training/pictures';
import { kindOf } from '../files.js';

/**
 * The paths of pictures, in an order that is the same on every machine. Whether they are pictures shows
 * when they are read.
 *
 * @param manifest a text file with a path on each line, relative to the current folder; a folder, whose
 *   pictures at any depth are meant; or a pattern such as `scans/*.png`
 * @throws UserError if there is nothing of that name, or nothing in it
 */
export async function picturesOf(manifest: string): Promise<string[]> {
  const kind = await kindOf(manifest);
  const [list, nothing] = MANIFESTS[kind ?? 'pattern'];
  const paths = await list(manifest);
  if (paths.length > 0) return paths;
  throw new UserError(`${manifest} (--manifest) ${nothing}.`);
}

/** What a manifest may be: how it is listed, and what to say if that gives nothing. */
const MANIFESTS = {
  folder: [within, 'has no images (PNG, JPEG, WebP, AVIF, GIF or TIFF)'],
  file: [listed, 'names no pictures: it must have the path of one on each line'],
  pattern: [matching, 'is no file and no folder, and no file matches it as a pattern'],
} as const;

/** The pictures of a folder at any depth; of one that is laid out like MVTec AD's, those to be tested. */
async function within(folder: string): Promise<string[]> {
  const from = (await inspectionIn(folder))?.tested ?? folder;
  const paths = await likelyPictures(from, await filesBelow(from));
  return paths.map((path) => join(from, path));
}

/** The lines of a list, whatever ends them; empty ones do not count. */
async function listed(path: string): Promise<string[]> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError('read', path, error);
  });
  if (bytes.includes(0)) {
    throw new UserError(
      `${path} (--manifest) is not a text: give a file with the path of a picture on each line, a folder or a pattern.`,
    );
  }
  const text = new TextDecoder().decode(bytes); // leaves a byte order mark out
  return text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '');
}

async function matching(pattern: string): Promise<string[]> {
  const { glob } = await import('tinyglobby');
  // A list by code units: locales sort in different ways.
  return (await glob(pattern, { dot: false, expandDirectories: false })).sort();
}
