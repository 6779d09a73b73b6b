/** Metrics of duplicates and of memorised training images. Rows are pixels in [0, 1]. */
import { nearestNeighbours } from './pairs.js';
import type { Rows } from './rows.js';

/** Two images are the same if the root mean square of their pixel differences is below this. */
export const SAME = 0.02;

const rms = (squared: number, size: number): number => Math.sqrt(squared / size);

/** 1 for each image that has a duplicate in the set, closer than {@link SAME}, otherwise 0. */
export async function duplicates(images: Rows): Promise<Float32Array> {
  // The nearest neighbour of a row is the row itself.
  const { squared } = await nearestNeighbours(images, images, 2);
  return Float32Array.from({ length: images.count }, (_, k) =>
    Number(rms(squared[2 * k + 1] as number, images.size) < SAME),
  );
}

/** How close images are to training images. */
export interface Memorised {
  /** The index of the training image nearest to each image. */
  readonly places: Uint32Array;
  /** Its distance: the root mean square of the pixel differences. */
  readonly distances: Float32Array;
  /** 1 for each image that is a copy of its nearest training image, otherwise 0. */
  readonly copies: Float32Array;
}

/**
 * Finds the nearest training image of each image, and the images that are copies. An image is a copy if
 * its distance is less than a third of that to the second nearest training image (Yoon et al. 2023),
 * or less than {@link SAME}. The ratio distinguishes a copy from an image that is close to many
 * because it is smooth or common. Compare the result with that of real images outside the training
 * set.
 *
 * @param training all training images, in parts of a few thousand
 */
export async function memorised(images: Rows, training: Iterable<Rows>): Promise<Memorised> {
  const { squared, places } = await nearestOfParts(images, training);
  const count = { length: images.count };
  return {
    places: Uint32Array.from(count, (_, k) => places[2 * k] as number),
    distances: Float32Array.from(count, (_, k) => rms(squared[2 * k] as number, images.size)),
    copies: Float32Array.from(count, (_, k) => {
      const [first, second] = [squared[2 * k] as number, squared[2 * k + 1] as number];
      return Number(first < second / 9 || rms(first, images.size) < SAME);
    }),
  };
}

/** The two nearest rows of a set that is given in parts, so that only one part is in memory. */
async function nearestOfParts(images: Rows, parts: Iterable<Rows>) {
  const squared = new Float64Array(2 * images.count).fill(Number.POSITIVE_INFINITY);
  const places = new Float64Array(2 * images.count);
  let before = 0;
  for (const part of parts) {
    const k = Math.min(2, part.count);
    const found = await nearestNeighbours(images, part, k);
    for (let i = 0; i < images.count; i++) {
      for (let j = 0; j < k; j++) {
        const distance = found.squared[k * i + j] as number;
        const at = before + (found.places[k * i + j] as number);
        const [first, second] = [2 * i, 2 * i + 1];
        if (distance < (squared[first] as number)) {
          squared[second] = squared[first] as number;
          places[second] = places[first] as number;
          squared[first] = distance;
          places[first] = at;
        } else if (distance < (squared[second] as number)) {
          squared[second] = distance;
          places[second] = at;
        }
      }
    }
    before += part.count;
  }
  return { squared, places };
}
