/**
 * Stacked MNIST (Metz et al. 2017; Lin et al. 2018): the channels of a colour image are three digits of
 * MNIST, drawn independently, so that the images have 1,000 modes of nearly equal shares.
 */
import { stream } from '@gpn/runtime';
import type { Images, Split } from '../types.js';
import { loadMnist } from './mnist.js';

/** Channels, each with a digit. */
export const DIGITS = 3;

/** The seed of the images of each part. */
const SEED = 0;

/**
 * Draws as many images as MNIST's part has. Image k depends on the seed and k alone, not on how many
 * are drawn.
 *
 * @throws UserError if MNIST is not there
 */
export async function loadStackedMnist(split: Split, only?: number): Promise<Images> {
  const { height, width, images, count: digits } = await loadMnist(split);
  const count = only ?? digits;
  const drawn = stream(SEED, `stacked-mnist ${split}`).below(DIGITS * count, digits);
  const size = height * width;
  const stacked = new Uint8Array(count * size * DIGITS);
  for (let at = 0; at < DIGITS * count; at++) {
    const from = (drawn[at] as number) * size;
    const to = Math.floor(at / DIGITS) * size * DIGITS + (at % DIGITS);
    for (let p = 0; p < size; p++) stacked[to + p * DIGITS] = images[from + p] as number;
  }
  return { name: 'stacked-mnist', count, height, width, channels: DIGITS, images: stacked };
}
