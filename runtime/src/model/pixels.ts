/** The pixels of pictures in a model's range. Loaded only to score pictures: most pages only draw. */
import { UserError } from '../errors.js';
import type { ImageInfo, ModelInfo } from '../format/model-info.js';
import type { Picture, Rectangle } from '../format/pictures/picture.js';
import {
  type Levels,
  PREPARATION,
  prepare,
  resample,
  sourceOf,
  whole,
} from '../format/pictures/prepare.js';

/** Floats without a range have the model's own. */
const ranged = (picture: Picture, { range }: ImageInfo): Picture => {
  const { width, height, data } = picture;
  const unknown = data instanceof Float32Array && picture.range === undefined;
  return unknown ? { width, height, data, range } : picture;
};

/** What lies behind transparent pixels. */
const backgroundOf = ({ preparation = PREPARATION }: ImageInfo) => preparation.background;

/** Levels from 0 to 255 in a model's range, by the operations of a training: in float32, scaled first. */
export function inRange(
  levels: ArrayLike<number>,
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
  // Of the model's channels, without alpha, they are what resampling would copy.
  const isReady = source.channels === image.channels && source.channels % 2 === 1;
  const levels = isReady
    ? source.data
    : resample(source, whole(picture), size, backgroundOf(image));
  const pixels = levels instanceof Float32Array ? levels : new Float32Array(levels.length);
  inRange(levels, image, pixels);
  return pixels;
}

/** The image that a model sees of a whole picture, in levels. */
export const prepared = (picture: Picture, image: ImageInfo): Levels =>
  prepare(ranged(picture, image), image, image.preparation);

/** A function that gives the image that a model sees of a rectangle of a picture, in levels. */
export function partsOf(picture: Picture, image: ImageInfo): (rectangle: Rectangle) => Levels {
  const source = sourceOf(ranged(picture, image));
  return (rectangle) => resample(source, rectangle, image, backgroundOf(image));
}

/** @throws UserError if a rectangle is empty or, but for the frame of a fragment, not within the picture */
export function checkRectangle(
  picture: Picture,
  { x, y, width, height }: Rectangle,
  { image, fragment }: ModelInfo,
): void {
  const shown = `${x},${y},${width},${height}`;
  if (![x, y].every(Number.isFinite) || !(width > 0 && height > 0)) {
    throw new UserError(`The rectangle ${shown} is empty: give x, y, width, height in pixels.`);
  }
  // How far a frame may reach outside the picture, in the picture's pixels.
  const [beyondX, beyondY] = [width / image.width, height / image.height].map(
    (scale) => (fragment?.frame ?? 0) * scale,
  ) as [number, number];
  const within = (from: number, length: number, side: number, beyond: number) =>
    from >= -beyond && from + length <= side + beyond;
  if (!within(x, width, picture.width, beyondX) || !within(y, height, picture.height, beyondY)) {
    throw new UserError(
      `The rectangle ${shown} is not within the picture of ${picture.width}×${picture.height}.`,
    );
  }
}
