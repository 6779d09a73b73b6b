/** Normal pictures to calibrate with. */
import { UserError } from '@gpn/runtime';
import type { NormalPictures } from '@gpn/training';
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
