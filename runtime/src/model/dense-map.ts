/** Score maps of discriminators in dense form: each run gives all scores of a tile. */

import { UserError } from '../errors.js';
import type { ImageInfo, ModelInfo } from '../format/model-info.js';
import type { Picture, Rectangle } from '../format/pictures/picture.js';
import { reducedSize } from '../format/pictures/reduced.js';
import { type BatchOptions, type Feed, type OpenModel, runOnce, turn } from '../session/batches.js';

export { fitted } from './pixels.js';

/**
 * The most scores along a side of a run, and the most pixels from its first score to its last. They bound the
 * memory of a run for any picture; larger runs leave the processor's cache, and are slower.
 */
const [SCORES, PIXELS] = [256, 360];

/** Which windows to score: `stride` pixels apart, the first with its corner at (-frame, -frame). */
export interface Windows {
  rows: number;
  columns: number;
  stride: number;
  frame: number;
}

// A larger map would take days.
const MAX_WINDOWS = 2 ** 26;

/**
 * The windows of a model on a picture; without a stride a quarter of a window apart, or as far as its
 * fragments' scores are.
 *
 * @param scale by how much the picture is reduced before; windows and stride are those on the reduced one
 * @throws UserError if there is no such stride, none fits, or there are too many
 */
export function windowsOf(
  picture: Pick<Picture, 'width' | 'height'>,
  { image, fragment, name }: ModelInfo,
  wanted?: number,
  scale = 1,
): Windows {
  const frame = fragment?.frame ?? 0;
  const quarter = Math.max(1, Math.floor(Math.min(image.width, image.height) / 4));
  const stride = wanted ?? (fragment ? (fragment.stride ?? 1) : quarter);
  if (!Number.isInteger(stride) || stride < 1) {
    throw new UserError(`The stride must be a whole number of pixels from 1, not ${stride}.`);
  }
  const places = (side: number, size: number) => Math.floor((side + 2 * frame - size) / stride) + 1;
  const { width, height } = reducedSize(picture, scale);
  const columns = places(width, image.width);
  const rows = places(height, image.height);
  if (!(columns >= 1 && rows >= 1)) {
    throw new UserError(
      `A picture of ${picture.width}×${picture.height} pixels is too small for ${name}, which ` +
        `scores windows of ${scale * (image.width - 2 * frame)}×${scale * (image.height - 2 * frame)}.`,
    );
  }
  if (rows * columns > MAX_WINDOWS) {
    throw new UserError(`A map of ${columns} × ${rows} windows is too large: raise the stride.`);
  }
  return { rows, columns, stride, frame };
}

/**
 * The scores [rows, columns] of all windows of a picture. Overlapping windows share their work. The
 * picture is cut into tiles that overlap by one pixel less than a window. The model gives scores that
 * are `fragment.stride` pixels apart: of a wider stride only some are kept, and for a narrower one a tile
 * is run several times, each time from another pixel on.
 *
 * @param pixels [height, width, channels] in the model's range; outside the picture is black
 * @param more the model's other inputs
 * @throws UserError if the model gives another number of scores; the signal's reason if it stops
 */
export async function denseMap(
  model: OpenModel,
  pixels: Float32Array,
  size: { width: number; height: number },
  { rows, columns, stride, frame }: Windows,
  more: readonly Feed[],
  { signal, onProgress }: BatchOptions,
): Promise<Float32Array> {
  const { image, input, fragment } = model.info;
  const own = fragment?.stride ?? 1;
  // Of the windows, every `skip`-th can have its score in the same run, `every` scores after the last.
  const skip = own / commonDivisor(stride, own);
  const every = (skip * stride) / own;
  const most = skip * Math.max(1, Math.floor(Math.min(SCORES, PIXELS / own) / every));
  const values = new Float32Array(rows * columns);
  let done = 0;
  /** Scores every `skip`-th window from this one on, before `bottom` and `right`. */
  const score = async (row: number, column: number, bottom: number, right: number) => {
    const [down, across] = [Math.ceil((bottom - row) / skip), Math.ceil((right - column) / skip)];
    // The size of the run's scores, and of the pixels that they depend on.
    const [high, wide] = [(down - 1) * every + 1, (across - 1) * every + 1];
    const [height, width] = [(high - 1) * own + image.height, (wide - 1) * own + image.width];
    const data = new Float32Array(height * width * image.channels);
    const corner = { x: column * stride - frame, y: row * stride - frame };
    crop(pixels, size, { ...corner, width, height }, image, data);
    const shape = [height, width, image.channels];
    const run = await runOnce(model, [{ name: input, shape, data }, ...more], 0, 1, signal);
    if (run.data.length !== high * wide) {
      throw new UserError(
        `${model.label} does not match its metadata: from an image of ${height}×${width} it gives ` +
          `[${run.shape}], not one score for each of ${high} × ${wide} fragments.`,
      );
    }
    for (let y = 0; y < down; y++) {
      for (let x = 0; x < across; x++) {
        const to = (row + y * skip) * columns + column + x * skip;
        values[to] = run.data[every * (y * wide + x)] as number;
      }
    }
    done += down * across;
    onProgress?.(done, values.length);
    if (done < values.length) await turn();
  };
  for (let top = 0; top < rows; top += most) {
    const bottom = Math.min(rows, top + most);
    for (let left = 0; left < columns; left += most) {
      const right = Math.min(columns, left + most);
      for (let row = top; row < Math.min(bottom, top + skip); row++) {
        for (let column = left; column < Math.min(right, left + skip); column++) {
          signal?.throwIfAborted();
          await score(row, column, bottom, right);
        }
      }
    }
  }
  return values;
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/**
 * Copies a rectangle in whole pixels of a picture into `out`. Outside the picture is black.
 *
 * @param picture [height, width, channels], in the model's range
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
