/** Normal pictures to calibrate with. */
import { basename, join, resolve } from 'node:path';
import { UserError } from '@gpn/runtime';
import type { NormalPictures, Recipe } from '@gpn/training';
import { testPictures } from '@gpn/training/pictures';
import { kindOf } from '../files.js';
import { findPictures, readPicture } from '../pictures.js';

/** Data sets by name: their test images, which no recipe trains with. */
const NAMED = ['mnist', 'fashion'];

/**
 * The pictures of a folder at their own sizes, or the test images of a named data set.
 *
 * @param most take no more than so many, the first ones
 * @throws UserError if there are none, or a file of the folder is broken
 */
export async function normalPictures(
  data: string,
  most = Number.POSITIVE_INFINITY,
): Promise<NormalPictures> {
  const kind = await kindOf(data);
  if (kind !== 'folder' && NAMED.includes(data)) return testImages(data, most);
  if (kind !== 'folder') {
    throw new UserError(
      `--data ${data} is ${kind === 'file' ? 'a file' : 'not there'}: give a folder of normal pictures, or ${NAMED.join(' or ')}.`,
    );
  }
  const found = (await findPictures([data])).slice(0, most);
  return {
    name: data,
    count: found.length,
    at: async (k) => {
      const { path, problem } = found[k] as (typeof found)[number];
      if (problem) throw new UserError(problem);
      return { picture: await readPicture(path), label: path };
    },
  };
}

/** Test images that a detector is calibrated with; the others remain to test it with. */
const TEST_IMAGES = 2000;

/**
 * What a detector is calibrated with at the end of its training: test images of a named data set, or the
 * pictures of a folder that are not trained with, which are tried here, because a training takes long.
 *
 * @returns undefined if all of the data is trained with
 * @throws UserError if the pictures are too few, too small or cannot be read
 */
export async function heldOutPictures({
  data: { dataset, held_out, skip_unreadable },
  model: { fragment },
}: Recipe): Promise<NormalPictures | undefined> {
  if (NAMED.includes(dataset)) return testImages(dataset, TEST_IMAGES);
  // Folders of other files than pictures have none; what is wrong with a folder, the training says.
  const paths = await testPictures(dataset, held_out).catch((error: unknown) => {
    if (held_out !== undefined || !(error instanceof UserError)) throw error;
    return undefined;
  });
  if (!paths) return undefined;
  const least = (fragment?.internal ?? 1) * Math.max(...(fragment?.scales ?? [1]));
  const kept: string[] = [];
  for (const path of paths.map((path) => join(dataset, path))) {
    const picture = await readPicture(path).catch((error: unknown) => {
      if (!skip_unreadable || !(error instanceof UserError)) throw error;
      return undefined;
    });
    if (!picture) continue;
    const { width, height } = picture;
    if (Math.min(width, height) < least) {
      throw new UserError(
        `${path} has ${width} × ${height} pixels, and a fragment's internal part ${least} × ${least}: the detector cannot be calibrated with it.`,
      );
    }
    kept.push(path);
  }
  const normal = {
    name: `held-out part of ${basename(resolve(dataset))}`,
    count: kept.length,
    at: async (k: number) => {
      const path = kept[k] as string;
      return { picture: await readPicture(path), label: path };
    },
  };
  const { checkEnough } = await import('@gpn/training');
  checkEnough(normal);
  return normal;
}

async function testImages(name: string, most: number): Promise<NormalPictures> {
  const { loadDataset } = await import('@gpn/training');
  const side = 28;
  const data = await loadDataset(name, { height: side, width: side, channels: 1, split: 'test' });
  return {
    name: `${name}, test images`,
    count: Math.min(most, data.count),
    at: async (k) => ({
      picture: {
        ...{ width: side, height: side },
        data: data.images.subarray(k * side * side, (k + 1) * side * side),
      },
      label: `image ${k} of ${name}`,
    }),
  };
}
