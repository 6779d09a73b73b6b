/** Score maps of discriminators in dense form: each run gives all scores of a tile. */

import { UserError } from '../errors.js';
import type { ImageInfo } from '../format/model-info.js';
import type { Rectangle } from '../format/pictures/picture.js';
import { type BatchOptions, type Feed, type OpenModel, runOnce, turn } from '../session/batches.js';

/** The most scores along a side of a tile. It bounds the memory of a run for any picture. */
const TILE = 256;

/** Which windows to score: `stride` pixels apart, the first with its corner at (-frame, -frame). */
export interface Windows {
  rows: number;
  columns: number;
  stride: number;
  frame: number;
}

/** Whether the model takes pictures of any height and width. */
export function isDense({ session, info }: OpenModel): boolean {
  const input = session.inputs.find(({ name }) => name === info.input);
  return input?.shape.slice(1, 3).every((size) => typeof size === 'string') === true;
}

/**
 * The scores [rows, columns] of all windows of a picture. Overlapping windows share their work. The
 * picture is cut into tiles that overlap by one pixel less than a window. With a stride above 1 all
 * scores of a tile are computed as well, and only every `stride`-th is kept.
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
  const { image, input } = model.info;
  const values = new Float32Array(rows * columns);
  const most = Math.ceil(TILE / stride);
  for (let top = 0; top < rows; top += most) {
    const down = Math.min(most, rows - top);
    for (let left = 0; left < columns; left += most) {
      const across = Math.min(most, columns - left);
      signal?.throwIfAborted();
      // The size of this tile's scores at stride 1, and of the pixels that they depend on.
      const [high, wide] = [(down - 1) * stride + 1, (across - 1) * stride + 1];
      const [height, width] = [high + image.height - 1, wide + image.width - 1];
      const data = new Float32Array(height * width * image.channels);
      const corner = { x: left * stride - frame, y: top * stride - frame };
      crop(pixels, size, { ...corner, width, height }, image, data);
      const shape = [height, width, image.channels];
      const tile = await runOnce(model, [{ name: input, shape, data }, ...more], 0, 1, signal);
      if (tile.data.length !== high * wide) {
        throw new UserError(
          `${model.label} does not match its metadata: from an image of ${height}×${width} it gives ` +
            `[${tile.shape}], not one score for each of ${high} × ${wide} fragments.`,
        );
      }
      for (let row = 0; row < down; row++) {
        for (let column = 0; column < across; column++) {
          const score = tile.data[row * stride * wide + column * stride] as number;
          values[(top + row) * columns + left + column] = score;
        }
      }
      const done = top * columns + down * (left + across);
      onProgress?.(done, values.length);
      if (done < values.length) await turn();
    }
  }
  return values;
}

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
