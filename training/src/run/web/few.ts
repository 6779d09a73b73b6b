/** Few images, made more by bending them. */
import { product, stream, UserError } from '@gpn/runtime';
import { distort, drawAffine } from '../../data/distort.js';
import { imagesOf, type StepInfo } from '../../export/step-file.js';
import type { PageImages } from './data.js';

/** Pictures that a GAN can learn anything from, at least. */
const FEWEST = 8;
/** Batches of images below which they are bent, and how many there are then. */
const [FEW, ENOUGH] = [4, 8];

/**
 * Images that fill some batches: few ones are followed by copies, each turned, leant, stretched and moved
 * a little. The recipe's seed determines how, so the same images give the same ones again.
 * @throws UserError if there are fewer than eight
 */
export function enoughImages(given: PageImages, info: StepInfo): PageImages {
  const { recipe } = info;
  const batch = imagesOf(info);
  const { height, width, channels } = recipe.data;
  const size = product([height, width, channels]);
  const count = given.images.length / size;
  if (count < FEWEST) {
    throw new UserError(
      `${count} picture(s) are too few to learn from: give ${FEWEST} at least; with dozens the results vary more.`,
    );
  }
  if (count >= FEW * batch) return given;
  const random = stream(recipe.training.seed, 'bent');
  const source = (k: number) => k % count;
  const wanted = ENOUGH * batch;
  const images = new Uint8Array(wanted * size);
  images.set(given.images);
  for (let k = count; k < wanted; k++) {
    const from = source(k) * size;
    const affine = drawAffine(random, recipe.data);
    images.set(distort(given.images.subarray(from, from + size), recipe.data, [affine]), k * size);
  }
  const { labels } = given;
  return {
    ...given,
    images,
    ...(labels && {
      labels: Uint8Array.from({ length: wanted }, (_, k) => labels[source(k)] as number),
    }),
  };
}
