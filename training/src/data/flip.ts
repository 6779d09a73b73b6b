/** Horizontal flips of images. */
import type { RandomStream } from '@gpn/runtime';
import type { Images } from './types.js';

/**
 * Mirrors each image, left and right exchanged, with a probability of ½, in place.
 * @param images bytes, [count, height, width, channels]
 */
export function flipSome(
  images: Uint8Array,
  { height, width, channels }: Pick<Images, 'height' | 'width' | 'channels'>,
  random: RandomStream,
): void {
  const row = width * channels;
  const count = images.length / (height * row);
  random.below(count, 2).forEach((mirrored, n) => {
    if (!mirrored) return;
    for (let y = 0; y < height; y++)
      mirror(images.subarray((n * height + y) * row).subarray(0, row), channels);
  });
}

/** Reverses the pixels of a row. */
function mirror(row: Uint8Array, channels: number): void {
  for (
    let left = 0, right = row.length - channels;
    left < right;
    left += channels, right -= channels
  )
    for (let c = 0; c < channels; c++) {
      const before = row[left + c] as number;
      row[left + c] = row[right + c] as number;
      row[right + c] = before;
    }
}
