/** Pictures of any size. */
import { UserError } from '../../errors.js';

/**
 * A picture in row-major order: an `ImageData`, `Images` of one image, or what an image library decodes. Bytes range from 0
 * to 255, floats over `range`, which is the model's own range by default.
 */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** width × height × 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGBA) values. */
  readonly data: Uint8Array | Uint8ClampedArray | Float32Array;
  readonly range?: readonly [low: number, high: number];
}

/** A rectangle in pixels, measured from the picture's top left corner; fractions are allowed. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** 256 megapixels, the most of a picture or grid: larger ones would need too much memory. */
export const MAX_PIXELS = 2 ** 28;

/**
 * The number of channels of a picture, from 1 to 4.
 *
 * @throws UserError if it has no pixels, too many, or a number of values that does not fit its size
 */
export function channelsOf({ width, height, data }: Picture): number {
  const pixels = width * height;
  if (!Number.isInteger(width) || !Number.isInteger(height) || !(pixels >= 1)) {
    throw new UserError(`A picture of ${width}×${height} pixels has nothing to score.`);
  }
  if (pixels > MAX_PIXELS) {
    throw new UserError(
      `A picture of ${width}×${height} pixels is too large: at most 2^28 pixels.`,
    );
  }
  const channels = data.length / pixels;
  if (![1, 2, 3, 4].includes(channels)) {
    throw new UserError(`${data.length} values are not a picture of ${width}×${height} pixels.`);
  }
  return channels;
}
