/** Pictures of any size, and how a rectangle of a picture becomes an input of a model. */
import { UserError } from '../errors.js';
import type { ImageInfo } from './model-info.js';

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

/** Weights of red, green and blue in grey (ITU-R BT.601). */
const LUMA = [0.299, 0.587, 0.114] as const;

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

/**
 * The picture's values [height, width, channels] with the channels and the range of a model.
 * Transparent pixels are blended with black.
 */
export function fitted(picture: Picture, image: ImageInfo): Float32Array {
  const { width, height, data, range } = picture;
  const pixels = width * height;
  const channels = channelsOf(picture);
  const own = image.range;
  const [low, high] = range ?? (data instanceof Float32Array ? own : [0, 255]);
  const scale = (own[1] - own[0]) / (high - low);
  const colors = channels > 2 ? 3 : 1;
  const hasAlpha = channels > colors;
  const at = new Float64Array(3);
  const out = new Float32Array(pixels * image.channels);
  for (let p = 0; p < pixels; p++) {
    const opacity = hasAlpha ? ((data[p * channels + colors] as number) - low) / (high - low) : 1;
    for (let c = 0; c < 3; c++) {
      const value = data[p * channels + (colors === 3 ? c : 0)] as number;
      at[c] = (value - low) * opacity;
    }
    if (image.channels === 3)
      for (let c = 0; c < 3; c++) out[p * 3 + c] = own[0] + scale * (at[c] as number);
    else {
      const gray =
        colors === 1
          ? (at[0] as number)
          : LUMA.reduce((sum, weight, c) => sum + weight * (at[c] as number), 0);
      out[p] = own[0] + scale * gray;
    }
  }
  return out;
}

/** The input pixels, along one axis, that an output pixel is made of, and their weights. */
interface Taps {
  first: number;
  weights: Float64Array;
}

/**
 * A triangle filter over [from, from + length): linear interpolation if the picture is enlarged, and
 * as wide as an output pixel, against aliasing, if it is made smaller. At the same size it copies.
 */
function taps(from: number, length: number, size: number): Taps[] {
  const scale = length / size;
  const radius = Math.max(1, scale);
  return Array.from({ length: size }, (_, i) => {
    const center = from + (i + 0.5) * scale - 0.5;
    const first = Math.ceil(center - radius + 1e-9);
    const last = Math.floor(center + radius - 1e-9);
    const weights = new Float64Array(last - first + 1).map(
      (_, k) => 1 - Math.abs(first + k - center) / radius,
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Copies those whole pixels of the rectangle that are within the picture. */
function crop(
  picture: Float32Array,
  size: { width: number; height: number },
  { x, y, width, height }: Rectangle,
  channels: number,
  out: Float32Array,
): void {
  const [left, right] = [Math.max(0, x), Math.min(size.width, x + width)];
  if (left >= right) return;
  for (let row = Math.max(0, y); row < Math.min(size.height, y + height); row++) {
    const line = row * size.width;
    const at = ((row - y) * width + left - x) * channels;
    out.set(picture.subarray((line + left) * channels, (line + right) * channels), at);
  }
}

/**
 * Copies a rectangle of a picture into `out`, at the size of the model's images. Outside the picture
 * is black. A rectangle of another size, or not at whole pixels, is resampled.
 *
 * @param picture [height, width, channels], as {@link fitted} returns it
 * @param out [image.height, image.width, image.channels]
 */
export function cut(
  picture: Float32Array,
  size: { width: number; height: number },
  { x, y, width, height }: Rectangle,
  image: ImageInfo,
  out: Float32Array,
): void {
  const { channels, range } = image;
  const exact = Number.isInteger(x) && Number.isInteger(y);
  if (exact && width === image.width && height === image.height) {
    crop(picture, size, { x, y, width, height }, channels, out.fill(range[0]));
    return;
  }
  const across = taps(x, width, image.width);
  const down = taps(y, height, image.height);
  let at = 0;
  for (const row of down) {
    for (const column of across) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let j = 0; j < row.weights.length; j++) {
          const py = row.first + j;
          const weightY = row.weights[j] as number;
          for (let i = 0; i < column.weights.length; i++) {
            const px = column.first + i;
            const inside = px >= 0 && py >= 0 && px < size.width && py < size.height;
            const value = inside
              ? (picture[(py * size.width + px) * channels + c] as number)
              : range[0];
            sum += weightY * (column.weights[i] as number) * value;
          }
        }
        out[at++] = sum;
      }
    }
  }
}
