/** Metrics of sameness: images drawn twice, and images learnt by heart. Rows are pixels in [0, 1]. */
import { nearestNeighbours } from './pairs.js';
import type { Rows } from './rows.js';

/** Two images count as the same when their pixels differ by less than this, as a root mean square. */
export const SAME = 0.02;

const rms = (squared: number, size: number): number => Math.sqrt(squared / size);

/** 1 for each image that has a twin in the set, closer than {@link SAME}, else 0. */
export async function duplicates(images: Rows): Promise<Float32Array> {
  // A row's nearest is itself.
  const { squared } = await nearestNeighbours(images, images, 2);
  return Float32Array.from({ length: images.count }, (_, k) =>
    Number(rms(squared[2 * k + 1] as number, images.size) < SAME),
  );
}

export interface Memorised {
  /** The training image nearest to each image. */
  readonly places: Uint32Array;
  /** How far it is: the root mean square of the differences of pixels. */
  readonly distances: Float32Array;
  /** 1 for each image that counts as a copy of its nearest training image, else 0. */
  readonly copies: Float32Array;
}

/**
 * How far images are from the training images, and which of them are copies: those at less than a
 * third of the distance of the second nearest training image (Yoon et al. 2023), or closer than
 * {@link SAME}. The quotient tells a copy from an image that is near to many because it is smooth or
 * of a common kind. Compare with real images that were not trained on.
 *
 * @param training all of them, in parts of a few thousand
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

/** The two nearest rows of a set that comes in parts, so that it need not all be in memory. */
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
