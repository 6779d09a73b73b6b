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

/** An image with its pixels, [height, width, channels]. */
interface Pixels {
  readonly pixels: Uint8Array | Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * An image in one of its eight orientations.
 * @param way 0 to 7: transposed if it is odd, then mirrored left and right (2) and upside down (4)
 */
export function turned<T extends Pixels>(image: T, way: number): T {
  const { pixels, channels } = image;
  const transposed = (way & 1) === 1;
  const [height, width] = transposed ? [image.width, image.height] : [image.height, image.width];
  const [mirrored, upsideDown] = [(way & 2) !== 0, (way & 4) !== 0];
  const out = pixels.slice();
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [down, along] = [upsideDown ? height - 1 - y : y, mirrored ? width - 1 - x : x];
      const from =
        (transposed ? along * image.width + down : down * image.width + along) * channels;
      for (let c = 0; c < channels; c++) out[to++] = pixels[from + c] as number;
    }
  }
  return { ...image, pixels: out, height, width };
}
