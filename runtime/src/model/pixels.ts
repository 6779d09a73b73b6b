/** The pixels of pictures in a model's range. */
import type { ImageInfo } from '../format/model-info.js';
import type { Picture, Rectangle } from '../format/pictures/picture.js';
import { type Levels, PREPARATION, resample, sourceOf, whole } from '../format/pictures/prepare.js';

/** Floats without a range have the model's own. */
export const ranged = (picture: Picture, { range }: ImageInfo): Picture => {
  const { width, height, data } = picture;
  const unknown = data instanceof Float32Array && picture.range === undefined;
  return unknown ? { width, height, data, range } : picture;
};

/** What lies behind transparent pixels. */
export const backgroundOf = ({ preparation = PREPARATION }: ImageInfo) => preparation.background;

/** Levels from 0 to 255 in a model's range, by the operations of a training: in float32, scaled first. */
export function inRange(
  levels: Levels,
  { range: [low, high] }: ImageInfo,
  out: Float32Array,
): void {
  const scale = Math.fround((high - low) / 255);
  for (let i = 0; i < out.length; i++) out[i] = low + Math.fround((levels[i] as number) * scale);
}

/** A picture at its own size, with a model's channels and range: [height, width, channels]. */
export function fitted(picture: Picture, image: ImageInfo): Float32Array {
  const { width, height } = picture;
  const size = { width, height, channels: image.channels };
  const source = sourceOf(ranged(picture, image));
  const levels = resample(source, whole(picture), size, backgroundOf(image));
  const pixels = levels instanceof Float32Array ? levels : new Float32Array(levels.length);
  inRange(levels, image, pixels);
  return pixels;
}

/**
 * Copies a rectangle in whole pixels of a picture into `out`. Outside the picture is black.
 *
 * @param picture [height, width, channels], as {@link fitted} returns it
 * @param out [height, width, channels] of the rectangle
 */
export function crop(
  picture: Float32Array,
  size: { width: number; height: number },
  { x, y, width, height }: Rectangle,
  { channels, range }: ImageInfo,
  out: Float32Array,
): void {
  out.fill(range[0]);
  const [left, right] = [Math.max(0, x), Math.min(size.width, x + width)];
  if (left >= right) return;
  for (let row = Math.max(0, y); row < Math.min(size.height, y + height); row++) {
    const line = row * size.width;
    const at = ((row - y) * width + left - x) * channels;
    out.set(picture.subarray((line + left) * channels, (line + right) * channels), at);
  }
}
