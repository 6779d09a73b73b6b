/**
 * The one way from a picture of any size to an image of a model. Training, scores, evaluation and
 * pages all take it, so that a network sees a picture as it saw those it was trained with. Pictures
 * come from whatever decodes them; nothing is resized before.
 *
 * The arithmetic is that of IEEE doubles in a fixed order: the same bytes give the same image in Node
 * and in every browser.
 */
import { bytesOf, channelsOf, type Picture, type Rectangle } from './picture.js';

/**
 * How pictures become images of a model.
 *
 * - `grey`: `bt601` makes grey by 0.299 · red + 0.587 · green + 0.114 · blue, of sRGB values as they are.
 * - `fit`: `cover` cuts the largest rectangle of the model's shape out of the middle; `contain` shows
 *   all of the picture, with the background beside it.
 * - `filter`: `triangle` is linear interpolation if a picture is enlarged; if it is made smaller, the
 *   triangle is as wide as two pixels of the image, against aliasing. No pixel outside the rectangle
 *   has a share. (Pillow's `BILINEAR`, `antialias=True` of TensorFlow's and PyTorch's bilinear resize.)
 * - `background`: red, green and blue of what lies behind transparent pixels, 0 to 255.
 */
export interface Preparation {
  grey: 'bt601';
  fit: 'cover' | 'contain';
  filter: 'triangle';
  background: [red: number, green: number, blue: number];
}

/** The preparation of a model whose file names none. */
export const PREPARATION: Preparation = {
  grey: 'bt601',
  fit: 'cover',
  filter: 'triangle',
  background: [0, 0, 0],
};

/** The size of an image. Channels: 1 for grey, 3 for RGB, 4 for RGBA. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Levels from 0 to 255: whole ones of a picture in bytes, any of one in floats. */
export type Levels = Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/**
 * The image [height, width, channels] that a model of this size sees of a picture, in levels from 0
 * to 255.
 *
 * @throws UserError if the picture's values do not fit its size
 */
export function prepare(
  picture: Picture,
  image: ImageSize,
  { fit, background }: Preparation = PREPARATION,
): Levels {
  const source = sourceOf(picture);
  if (fit === 'cover') return resample(source, middle(picture, image), image, background);
  const shown = middle(image, picture);
  const inner = resample(source, whole(picture), { ...image, ...sizeOf(shown) }, background);
  return placed(inner, shown, image, background);
}

/** A whole picture as an image of this size, squeezed if its shape is another. */
export const squeezed = (picture: Picture, image: ImageSize): Levels =>
  resample(sourceOf(picture), whole(picture), image, PREPARATION.background);

/** The rectangle of a whole picture. */
export const whole = ({ width, height }: { width: number; height: number }): Rectangle => ({
  x: 0,
  y: 0,
  width,
  height,
});

const sizeOf = ({ width, height }: Rectangle) => ({ width, height });

/** The largest rectangle with the shape of `like` in the middle of `of`, in whole pixels. */
function middle(
  of: { width: number; height: number },
  like: { width: number; height: number },
): Rectangle {
  const scale = Math.min(of.width / like.width, of.height / like.height);
  const side = (length: number, most: number) =>
    Math.min(most, Math.max(1, Math.round(length * scale)));
  const [width, height] = [side(like.width, of.width), side(like.height, of.height)];
  return { x: (of.width - width) >> 1, y: (of.height - height) >> 1, width, height };
}

/** An image of this size that shows the background around `inner`; if it has alpha, nothing around it. */
function placed(
  inner: Levels,
  { x, y, width, height }: Rectangle,
  image: ImageSize,
  background: Preparation['background'],
): Levels {
  const { channels } = image;
  const colors = channels === 1 ? [grey(...background)] : [...background, 0].slice(0, channels);
  const around = colors.map((level) => level + rounding(inner));
  const out = like(inner, image.height * image.width * channels);
  for (let i = 0; i < out.length; i++) out[i] = around[i % channels] as number;
  const line = width * channels;
  for (let row = 0; row < height; row++) {
    const at = ((y + row) * image.width + x) * channels;
    out.set(inner.subarray(row * line, (row + 1) * line), at);
  }
  return out;
}

const like = (levels: Picture['data'], length: number): Levels =>
  levels instanceof Float32Array ? new Float32Array(length) : new Uint8Array(length);

/** What is added to a level before it is stored: a byte's fraction is cut off, a float's is kept. */
const rounding = (levels: Picture['data']): number => (levels instanceof Float32Array ? 0 : 0.5);

const grey = (red: number, green: number, blue: number): number =>
  0.299 * red + 0.587 * green + 0.114 * blue;

/** A picture that is ready to be resampled. */
export interface Source {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Whether its last channel is alpha, and some pixel is not opaque. */
  readonly transparent: boolean;
  /** [height, width, channels], in levels from 0 to 255. */
  readonly data: Uint8Array | Float32Array;
}

/**
 * Makes a picture ready.
 *
 * @throws UserError if its values do not fit its size
 */
export function sourceOf(picture: Picture): Source {
  const { width, height } = picture;
  const channels = channelsOf(picture);
  const data = bytesOf(picture) ?? scaled(picture);
  const alpha = channels === 2 || channels === 4;
  let transparent = false;
  for (let i = channels - 1; alpha && !transparent && i < data.length; i += channels) {
    transparent = (data[i] as number) < 255;
  }
  return { width, height, channels, transparent, data };
}

function scaled({ data, range: [low, high] = [0, 255] }: Picture): Float32Array {
  const scale = 255 / (high - low);
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = ((data[i] as number) - low) * scale;
  return out;
}

/** The pixels, along one axis, that an output pixel is made of, and their weights, which add to 1. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

/** A triangle filter over the pixels of [from, from + length), for `size` output pixels. */
function taps(from: number, length: number, size: number): Taps[] {
  const scale = length / size;
  const radius = Math.max(1, scale);
  const [least, most] = [Math.floor(from), Math.ceil(from + length) - 1];
  return Array.from({ length: size }, (_, i) => {
    const center = from + (i + 0.5) * scale - 0.5;
    const first = Math.max(least, Math.ceil(center - radius + 1e-9));
    const last = Math.min(most, Math.floor(center + radius - 1e-9));
    const weights = Float64Array.from(
      { length: last - first + 1 },
      (_, k) => 1 - Math.abs(first + k - center) / radius,
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Those taps that lie within a picture's side. What lies outside is black. */
const within = ({ first, weights }: Taps, side: number): Taps => {
  const from = Math.min(weights.length, Math.max(0, -first));
  return { first: first + from, weights: weights.subarray(from, Math.max(from, side - first)) };
};

/**
 * A rectangle of a picture as an image of this size. Its parts outside the picture are black. A
 * rectangle of the image's size, in whole pixels, is copied.
 *
 * @returns [height, width, channels], in levels from 0 to 255
 */
export function resample(
  source: Source,
  { x, y, width, height }: Rectangle,
  image: ImageSize,
  background: Preparation['background'],
): Levels {
  const { channels, data, transparent } = source;
  const across = taps(x, width, image.width).map((each) => within(each, source.width));
  const down = taps(y, height, image.height).map((each) => within(each, source.height));
  const left = Math.max(0, Math.floor(x));
  const columns = Math.max(0, Math.min(source.width, Math.ceil(x + width)) - left);
  const out = like(data, image.height * image.width * image.channels);
  const line = new Float64Array(columns * channels);
  const row = new Float64Array(image.width * channels);
  const blended = new Float64Array(transparent ? line.length : 0);
  down.forEach(({ first, weights }, j) => {
    line.fill(0);
    const step = source.width * channels;
    const top = first * step + left * channels;
    if (!transparent) addRows(line, data, top, step, weights);
    else {
      for (let k = 0; k < weights.length; k++) {
        blend(data, top + k * step, channels, blended);
        addRows(line, blended, 0, 0, weights.subarray(k, k + 1));
      }
    }
    shrinkRow(line, left, across, channels, row);
    finishRow(row, source, background, image, out, j);
  });
  return out;
}

/** Adds rows with their weights to `line`: four at a time, which takes a third of the time. */
function addRows(
  line: Float64Array,
  data: Uint8Array | Float32Array | Float64Array,
  first: number,
  step: number,
  weights: Float64Array,
): void {
  let k = 0;
  for (; k + 4 <= weights.length; k += 4) {
    const [a, b, c, d] = weights.subarray(k, k + 4) as unknown as [number, number, number, number];
    let at = first + k * step;
    for (let i = 0; i < line.length; i++, at++) {
      line[i] =
        (line[i] as number) +
        a * (data[at] as number) +
        b * (data[at + step] as number) +
        c * (data[at + 2 * step] as number) +
        d * (data[at + 3 * step] as number);
    }
  }
  for (; k < weights.length; k++) {
    const weight = weights[k] as number;
    let at = first + k * step;
    for (let i = 0; i < line.length; i++, at++) {
      line[i] = (line[i] as number) + weight * (data[at] as number);
    }
  }
}

function shrinkRow(
  line: Float64Array,
  left: number,
  across: readonly Taps[],
  channels: number,
  row: Float64Array,
): void {
  let to = 0;
  for (const { first, weights } of across) {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      let at = (first - left) * channels + c;
      for (let k = 0; k < weights.length; k++, at += channels) {
        sum += (weights[k] as number) * (line[at] as number);
      }
      row[to++] = sum;
    }
  }
}

/** Multiplies a row's colours by alpha, and makes alpha transparency: black outside needs neither. */
function blend(data: Source['data'], from: number, channels: number, row: Float64Array): void {
  const last = channels - 1;
  for (let i = 0, at = from; i < row.length; i += channels, at += channels) {
    const alpha = data[at + last] as number;
    const share = alpha / 255;
    for (let c = 0; c < last; c++) row[i + c] = share * (data[at + c] as number);
    row[i + last] = 255 - alpha;
  }
}

/** Row `j` of the image: on the background or with alpha, in colour or grey, in whole levels or not. */
function finishRow(
  row: Float64Array,
  { channels, transparent, data }: Source,
  background: Preparation['background'],
  image: ImageSize,
  out: Levels,
  j: number,
): void {
  const colors = channels > 2 ? 3 : 1;
  const half = rounding(data);
  let to = j * image.width * image.channels;
  for (let at = 0; at < row.length; at += channels) {
    const clear = transparent ? (row[at + channels - 1] as number) / 255 : 0;
    const keeps = image.channels === 4 && clear < 1;
    const share = keeps ? 1 / (1 - clear) : 1;
    const behind = keeps ? 0 : clear;
    const red = share * (row[at] as number) + behind * background[0];
    const second = colors === 3 ? (row[at + 1] as number) : (row[at] as number);
    const third = colors === 3 ? (row[at + 2] as number) : (row[at] as number);
    const green = share * second + behind * background[1];
    const blue = share * third + behind * background[2];
    if (image.channels === 1) out[to++] = grey(red, green, blue) + half;
    else {
      out[to++] = red + half;
      out[to++] = green + half;
      out[to++] = blue + half;
      if (image.channels === 4) out[to++] = 255 * (1 - clear) + half;
    }
  }
}
