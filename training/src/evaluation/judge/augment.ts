import type { RandomStream } from '@gpn/runtime';

/** Augmentation of a classifier's training images, so that it learns shapes and not positions. */
export interface Augmentation {
  /** Largest translation in pixels, in every direction. */
  readonly shift: number;
  /** Whether half of the images are mirrored: possible for clothes, not for digits. */
  readonly flip: boolean;
}

/**
 * Translates each image by whole pixels (the border is filled with black) and may mirror it. `random`
 * decides by three numbers for each image.
 *
 * @param images [count, height, width], grey, 0 to 255
 * @returns images of the same shape
 */
export function augment(
  images: Uint8Array,
  { height, width }: { height: number; width: number },
  { shift, flip }: Augmentation,
  random: RandomStream,
): Uint8Array {
  const size = height * width;
  const count = images.length / size;
  const across = random.below(count, 2 * shift + 1);
  const down = random.below(count, 2 * shift + 1);
  const mirrored = random.below(count, 2);
  const moved = new Uint8Array(images.length);
  for (let k = 0; k < count; k++) {
    const dx = (across[k] as number) - shift;
    const dy = (down[k] as number) - shift;
    const mirror = flip && mirrored[k] === 1;
    for (let y = Math.max(0, dy); y < Math.min(height, height + dy); y++) {
      const from = k * size + (y - dy) * width;
      const to = k * size + y * width;
      for (let x = Math.max(0, dx); x < Math.min(width, width + dx); x++) {
        const source = x - dx;
        moved[to + x] = images[from + (mirror ? width - 1 - source : source)] as number;
      }
    }
  }
  return moved;
}
