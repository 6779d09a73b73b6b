/** Random affine distortions of images: rotation, shear, scaling and translation. */
import type { RandomStream } from '@gpn/runtime';
import type { Images } from './types.js';

/** Largest rotation, in radians, in either direction. */
const TURN = 0.4;
/** Largest shear: pixels that a row moves for each row of distance from the middle. */
const LEAN = 0.6;
/** Largest change of the logarithm of height and width. */
const STRETCH = 0.2;
/** Largest translation, as a share of height and width. */
const MOVE = 0.08;

type Size = Pick<Images, 'height' | 'width' | 'channels'>;

/**
 * An affine map from a distorted image to its original, with coordinates relative to the centre:
 * pixel (y, x) is taken from (a·y + b·x + c, d·y + e·x + f). c and f are in pixels.
 */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Draws a distortion for an image of this size, uniformly within the limits above. */
export function drawAffine(random: RandomStream, { height, width }: Size): Affine {
  const [turn, lean, tall, wide, down, right] = [...random.uniform(6)] as [...Affine];
  const [cos, sin] = [Math.cos(TURN * turn), Math.sin(TURN * turn)];
  const [h, w] = [Math.exp(STRETCH * tall), Math.exp(STRETCH * wide)];
  const leant = LEAN * lean;
  const [c, f] = [MOVE * down * height, MOVE * right * width];
  return [cos * h + sin * leant, sin * w, c, cos * leant - sin * h, cos * w, f];
}

/**
 * Distorts images, each by its own map, with bilinear interpolation. Pixels outside an image repeat
 * its border.
 *
 * @param images bytes, [count, height, width, channels]
 * @param affines one for each image
 * @returns bytes of the same shape
 */
export function distort(
  images: Uint8Array,
  { height, width, channels }: Size,
  affines: readonly Affine[],
): Uint8Array {
  const [middle, centre] = [(height - 1) / 2, (width - 1) / 2];
  const out = new Uint8Array(images.length);
  let to = 0;
  affines.forEach(([a, b, c, d, e, f], n) => {
    for (let y = -middle; y <= middle; y++) {
      for (let x = -centre; x <= centre; x++) {
        const row = within(a * y + b * x + c + middle, height);
        const column = within(d * y + e * x + f + centre, width);
        const top = Math.floor(row);
        const left = Math.floor(column);
        const right = left + 1 < width ? channels : 0;
        const down = top + 1 < height ? width * channels : 0;
        let at = ((n * height + top) * width + left) * channels;
        for (let k = 0; k < channels; k++, at++) {
          const above = between(images, at, at + right, column - left);
          const below = between(images, at + down, at + down + right, column - left);
          // Storing a byte truncates; adding 0.5 rounds to the nearest.
          out[to++] = (1 - (row - top)) * above + (row - top) * below + 0.5;
        }
      }
    }
  });
  return out;
}

// Comparisons are faster than Math.min and Math.max, and this runs for every pixel.
const within = (at: number, length: number): number =>
  at < 0 ? 0 : at > length - 1 ? length - 1 : at;

const between = (values: Uint8Array, i: number, j: number, share: number): number =>
  (1 - share) * (values[i] as number) + share * (values[j] as number);
