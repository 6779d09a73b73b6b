/** Images whose fragments are known by their pixels. */
import type { FragmentOptions } from '../../src/data/fragments/fragments.js';
import type { Images } from '../../src/data/types.js';

/** Images whose every pixel says where it is from: 100 · image + 10 · row + column + channel. */
export function numbered(count: number, height: number, width: number, channels: number): Images {
  const images = new Uint8Array(count * height * width * channels);
  let at = 0;
  for (let n = 0; n < count; n++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let c = 0; c < channels; c++) images[at++] = 100 * n + 10 * y + x + c;
  return { name: 'numbered', count, height, width, channels, images };
}

export const ALL = { noise: 1, blur: 1, mismatch: 1, gaussian: 1 };
export const options = (more: Partial<FragmentOptions> = {}): FragmentOptions => ({
  internal: 2,
  frame: 1,
  negatives: ALL,
  inverse: false,
  ...more,
});

/** Pixels of a batch as an array of fragments of rows of pixels, the first channel alone. */
export function rowsOf(fragments: Float32Array, side: number, channels: number): number[][][] {
  const count = fragments.length / (side * side * channels);
  return Array.from({ length: count }, (_, n) =>
    Array.from({ length: side }, (_, y) =>
      Array.from(
        { length: side },
        (_, x) => fragments[((n * side + y) * side + x) * channels] as number,
      ),
    ),
  );
}
