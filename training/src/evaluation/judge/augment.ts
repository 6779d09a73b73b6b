import type { RandomStream } from '@gpn/runtime';
import type { Pictures } from '../../data/types.js';

/** Augmentation of a classifier's training images, so that it learns shapes and not positions. */
export interface Augmentation {
  /** Largest translation in pixels, in every direction. */
  readonly shift: number;
  /** Whether half of the images are mirrored: possible for clothes, not for digits. */
  readonly flip: boolean;
  /** What a translated image shows beyond its border: black by default, or its border again. */
  readonly beyond?: 'black' | 'border';
}

/**
 * Translates each image by whole pixels and may mirror it. `random` decides by three numbers for each
 * image.
 *
 * @param images [count, height, width, channels], 0 to 255
 * @returns images of the same shape
 */
export function augment(
  images: Uint8Array,
  { height, width, channels }: Pick<Pictures, 'height' | 'width' | 'channels'>,
  { shift, flip, beyond = 'black' }: Augmentation,
  random: RandomStream,
): Uint8Array {
  const size = height * width * channels;
  const count = images.length / size;
  const across = random.below(count, 2 * shift + 1);
  const down = random.below(count, 2 * shift + 1);
  const mirrored = random.below(count, 2);
  const moved = new Uint8Array(images.length);
  for (let k = 0; k < count; k++) {
    const dx = (across[k] as number) - shift;
    const dy = (down[k] as number) - shift;
    const mirror = flip && mirrored[k] === 1;
    const column = (x: number) => {
      const from = clamped(x - dx, width);
      return mirror ? width - 1 - from : from;
    };
    const inside = (at: number, side: number) => beyond === 'border' || (at >= 0 && at < side);
    for (let y = 0; y < height; y++) {
      if (!inside(y - dy, height)) continue;
      const line = k * height + clamped(y - dy, height);
      for (let x = 0; x < width; x++) {
        if (!inside(x - dx, width)) continue;
        const from = (line * width + column(x)) * channels;
        const to = ((k * height + y) * width + x) * channels;
        for (let c = 0; c < channels; c++) moved[to + c] = images[from + c] as number;
      }
    }
  }
  return moved;
}

const clamped = (at: number, side: number): number => Math.min(side - 1, Math.max(0, at));
