/** Masks that say what is wrong with which picture. */
import { basename, dirname, extname, join, relative } from 'node:path';
import { type Picture, UserError } from '@gpn/runtime';
import { kindOf } from '../../files.js';
import { findPictures, readPicture } from '../../pictures.js';

/** The last parts of a path without its ending, the longer ones first: `bad/000`, `000`. */
function namesOf(path: string): string[] {
  const parts = path.replace(/\.[^./\\]*$/, '').split(/[/\\]/);
  return [2, 1].filter((n) => n <= parts.length).map((n) => parts.slice(-n).join('/'));
}

/** What is wrong with a bad picture, as its folder says. */
export const kindOfDefect = (path: string): string => basename(dirname(path));

/**
 * Finds the masks below a folder. `bad/000.png` has the mask `bad/000_mask.png`, as MVTec AD names them,
 * `bad/000.png`, or one of these names without a folder.
 *
 * @param complete whether every picture that is not in a folder `good` must have one
 * @returns the mask of a picture, 1 where something is wrong; undefined if it has none and is normal
 * @throws UserError if there is no such folder; from the function, if a mask has another size or is missing
 */
export async function masksIn(
  folder: string,
  complete = false,
): Promise<(path: string, picture: Picture) => Promise<Uint8Array | undefined>> {
  if ((await kindOf(folder)) !== 'folder') {
    throw new UserError(
      `--masks ${folder} is not a folder: give one with a mask for each bad picture.`,
    );
  }
  const files = new Map<string, string>();
  for (const { path, problem } of await findPictures([folder])) {
    if (problem) throw new UserError(problem);
    const own = relative(folder, path)
      .replaceAll('\\', '/')
      .replace(/\.[^./]*$/, '');
    files.set(
      own
        .replace(/_mask$/, '')
        .split('/')
        .slice(-2)
        .join('/'),
      path,
    );
  }
  return async (path, { width, height }) => {
    const file = namesOf(path)
      .map((name) => files.get(name))
      .find((found) => found !== undefined);
    if (file === undefined) {
      const kind = kindOfDefect(path);
      if (!complete || kind === 'good') return undefined;
      throw new UserError(
        `${path} has no mask ${join(folder, kind, `${basename(path, extname(path))}_mask.png`)}: what is not in a folder named good must have one.`,
      );
    }
    const mask = await readPicture(file);
    if (mask.width !== width || mask.height !== height) {
      throw new UserError(
        `The mask ${file} is ${mask.width} × ${mask.height} pixels, and ${path} is ${width} × ${height}: give masks of their pictures' size.`,
      );
    }
    const channels = mask.data.length / (width * height);
    return Uint8Array.from({ length: width * height }, (_, k) =>
      (mask.data[k * channels] as number) > 127 ? 1 : 0,
    );
  };
}
