import type { RandomStream } from '@gpn/runtime';

/** Where a classifier's training images are moved to, so that it learns shapes, not places. */
export interface Augmentation {
  /** By up to as many pixels each way. */
  readonly shift: number;
  /** Half of the images are seen in the mirror: clothes may be, digits may not. */
  readonly flip: boolean;
}

/**
 * The same images, each moved by whole pixels (black comes in) and perhaps mirrored, as `random`
 * decides: three numbers for each image.
 *
 * @param images [count, height, width] grey, 0 … 255
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
