/** Some of the images that a training learns from, as they are. */
import { Images, product, stream } from '@gpn/runtime';
import type { StepInfo } from '../../../export/step-file.js';
import type { PageImages } from '../data.js';

/** So many of the images, drawn by the recipe's seed; all of them if there are no more. */
export function examplesOf(
  { images }: PageImages,
  { recipe: { data, training } }: StepInfo,
  most: number,
): Images {
  const { height, width, channels } = data;
  const size = product([height, width, channels]);
  const count = images.length / size;
  const shown = Math.min(most, count);
  const chosen =
    count > most
      ? stream(training.seed, 'examples').below(shown, count)
      : Uint32Array.from({ length: count }, (_, k) => k);
  const values = new Float32Array(shown * size);
  chosen.forEach((k, i) => {
    values.set(images.subarray(k * size, (k + 1) * size), i * size);
  });
  return new Images(shown, height, width, channels, [0, 255], values);
}
