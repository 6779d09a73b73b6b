/** Score maps of discriminators that are convolutional throughout: a tile of scores in one run. */

import { UserError } from '../errors.js';
import { cut } from '../format/picture.js';
import { type BatchOptions, type Feed, type Network, runOnce, turn } from '../session/batches.js';

/** The most scores along a side of one run; what bounds its memory, whatever the picture. */
const TILE = 256;

/** Which windows to score: `stride` pixels apart, the first one's corner at (-frame, -frame). */
export interface Windows {
  rows: number;
  columns: number;
  stride: number;
  frame: number;
}

/** Whether the network takes pictures of any height and width, not its own alone. */
export function isDense({ session, info }: Network): boolean {
  const input = session.inputs.find(({ name }) => name === info.input);
  return input?.shape.slice(1, 3).every((size) => typeof size === 'string') === true;
}

/**
 * The scores [rows, columns] of all windows of a picture, which share the work that their pixels
 * have in common. It is done in tiles that overlap by a window less a pixel; with a stride above 1
 * scores are left out, since no work would be saved.
 *
 * @param pixels [height, width, channels] in the model's range; outside of it there is black
 * @param more the network's other inputs
 * @throws UserError where the network gives another number of scores; the signal's reason
 */
export async function denseMap(
  network: Network,
  pixels: Float32Array,
  size: { width: number; height: number },
  { rows, columns, stride, frame }: Windows,
  more: readonly Feed[],
  { signal, onProgress }: BatchOptions,
): Promise<Float32Array> {
  const { image, input } = network.info;
  const values = new Float32Array(rows * columns);
  const most = Math.ceil(TILE / stride);
  for (let top = 0; top < rows; top += most) {
    const down = Math.min(most, rows - top);
    for (let left = 0; left < columns; left += most) {
      const across = Math.min(most, columns - left);
      signal?.throwIfAborted();
      // The scores of this tile at every pixel, and the pixels that they see.
      const [high, wide] = [(down - 1) * stride + 1, (across - 1) * stride + 1];
      const [height, width] = [high + image.height - 1, wide + image.width - 1];
      const data = new Float32Array(height * width * image.channels);
      const corner = { x: left * stride - frame, y: top * stride - frame };
      cut(pixels, size, { ...corner, width, height }, { ...image, width, height }, data);
      const shape = [height, width, image.channels];
      const tile = await runOnce(network, [{ name: input, shape, data }, ...more], 0, 1);
      if (tile.data.length !== high * wide) {
        throw new UserError(
          `${network.label} describes itself wrongly: from an image of ${height}×${width} it gives ` +
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
