/** Places of squares in images: their corners and sizes. */
import type { RandomStream } from '@gpn/runtime';
import type { Images } from '../types.js';

/** Height and width in pixels. */
export type Size = Pick<Images, 'height' | 'width'>;

/** Side of the internal part and width of the frame, in pixels. */
export interface FragmentSize {
  readonly internal: number;
  readonly frame: number;
}

/** The side of a fragment in pixels: internal + 2 · frame. */
export const sideOf = ({ internal, frame }: FragmentSize): number => internal + 2 * frame;

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
