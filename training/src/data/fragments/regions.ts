/** Altered regions: rectangles and ellipses in which pixels are replaced. */
import type { RandomStream } from '@gpn/runtime';
import { ALTERATIONS, type Alteration, type Place } from './alterations.js';
import type { FragmentSize } from './corners.js';

/**
 * Altered regions of several sizes: rectangles, or ellipses with smooth edges. One that covers the internal
 * part of a fragment, or lies in it if it is smaller, makes it an altered one. It may reach into the frame.
 */
export interface RegionOptions {
  /** The least and the greatest length of a side, in pixels. */
  readonly smallest: number;
  readonly largest: number;
  /** The share of ellipses. */
  readonly smooth: number;
  /**
   * The weight of fragments with an altered region that does not cover their internal part. They count
   * as real, so that a discriminator learns where a region ends.
   */
  readonly beside?: number | undefined;
}

/** A rectangle of pixels; `top` and `left` may be negative. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Whether a box covers a part along one side, or lies in it if it is smaller. */
const covers = (from: number, length: number, part: number, internal: number): boolean =>
  length < internal
    ? from >= part && from + length <= part + internal
    : from <= part && from + length >= part + internal;

/** Whether a box covers the square part with its corner at (row, column), or lies in it if it is smaller. */
export const isCovered = (box: Box, row: number, column: number, internal: number): boolean =>
  covers(box.top, box.height, row, internal) && covers(box.left, box.width, column, internal);

/** A change of less than this is none: nobody could tell. */
const VISIBLE = 1 / 16;

/**
 * Alters a region of a fragment, within the image.
 *
 * @param beside whether the region must not cover the internal part
 * @returns whether any pixel has changed so much that it can be seen
 */
export function alterRegion(
  fragment: Float32Array,
  place: Place,
  kind: Alteration,
  { internal, frame }: FragmentSize,
  { smallest, largest, smooth }: RegionOptions,
  beside: boolean,
): boolean {
  const { random } = place;
  const side = internal + 2 * frame;
  const half = Math.max(1, internal >> 1);
  const { height, width } = drawSides(random, smallest, largest);
  /** A place along one side: the region covers the internal part, or lies in it if it is smaller. */
  const covering = (length: number): number =>
    frame +
    Math.min(0, internal - length) +
    (random.below(1, Math.abs(internal - length) + 1)[0] as number);
  const anywhere = (length: number): number =>
    (random.below(1, side + length - 1)[0] as number) - length + 1;
  /** Up to half an internal part away from covering it. */
  const nearby = (length: number): number =>
    covering(length) + (random.below(1, 2 * half + 1)[0] as number) - half;
  let [top, left] = [covering(height), covering(width)];
  const choose = random.below(1, 2)[0] ? nearby : anywhere;
  while (beside && isCovered({ top, left, height, width }, frame, frame, internal)) {
    [top, left] = [choose(height), choose(width)];
  }
  const box = { top, left, height, width };
  return alterBox(fragment, side, { ...place, frame }, kind, box, smooth);
}

/** The sides of a region, in pixels. */
export function drawSides(
  random: RandomStream,
  smallest: number,
  largest: number,
): Pick<Box, 'height' | 'width'> {
  const [height, width] = random.below(2, largest - smallest + 1);
  return { height: (height as number) + smallest, width: (width as number) + smallest };
}

/**
 * Alters a box of a square that was cut from an image, where it is within both, unless that changes nothing
 * to be seen.
 *
 * @param pixels of the square, [side, side, channels], which are changed
 * @param place of the part that lies `frame` pixels from the square's corner
 * @param smooth the share of ellipses
 * @returns whether any pixel has changed so much that it can be seen
 */
export function alterBox(
  pixels: Float32Array,
  side: number,
  { frame, ...place }: Omit<Place, 'internal'> & { readonly frame: number },
  kind: Alteration,
  { top, left, height, width }: Box,
  smooth: number,
): boolean {
  const { image, random } = place;
  const { channels } = image;
  const ellipse = (random.uniform(1, 0, 1)[0] as number) < smooth;
  const square = Math.max(height, width);
  const [first, start] = [place.row - frame, place.column - frame];
  const part = ALTERATIONS[kind]({
    ...place,
    ...{ row: first + top, column: start + left, internal: square },
  });
  const altered = pixels.slice();
  let most = 0;
  const [bottom, right] = [
    Math.min(side, top + height, image.height - first),
    Math.min(side, left + width, image.width - start),
  ];
  for (let y = Math.max(0, top, -first); y < bottom; y++) {
    for (let x = Math.max(0, left, -start); x < right; x++) {
      const share = ellipse ? within(y - top, height, x - left, width) : 1;
      for (let c = 0; c < channels; c++) {
        const at = (y * side + x) * channels + c;
        const from = ((y - top) * square + x - left) * channels + c;
        const change = share * ((part[from] as number) - (pixels[at] as number));
        altered[at] = (pixels[at] as number) + change;
        most = Math.max(most, Math.abs(change));
      }
    }
  }
  if (most < VISIBLE) return false;
  pixels.set(altered);
  return true;
}

/** How much of an ellipse there is at a pixel of its rectangle: 1 inside, falling to 0 at its edge. */
function within(y: number, height: number, x: number, width: number): number {
  const radius = Math.hypot((2 * y + 1) / height - 1, (2 * x + 1) / width - 1);
  return Math.min(1, Math.max(0, 2 * (1.2 - radius)));
}
