/** Places of squares in images. */
import type { RandomStream } from '@gpn/runtime';
import type { Images } from '../types.js';

/** Height and width in pixels. */
export type Size = Pick<Images, 'height' | 'width'>;

/**
 * The top left corners of internal parts, in pixels of the image. They are also the corners of the
 * fragments in the padded image.
 */
export interface Corners {
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
}

/** Draws corners uniformly from all (height − internal + 1) · (width − internal + 1) positions. */
export const drawCorners = (
  random: RandomStream,
  count: number,
  { height, width }: Size,
  internal: number,
): Corners => ({
  rows: random.below(count, height - internal + 1),
  columns: random.below(count, width - internal + 1),
});
