/** Squares of pictures at their own size, for networks that learn from fragments. */
import { type ImageSize, type Picture, type Preparation, prepare, stream } from '@gpn/runtime';

/**
 * Cuts images out of a picture without scaling it, at places that depend on its name alone. A picture
 * that is smaller than an image lies in the middle of black.
 *
 * @returns [count, height, width, channels], one after the other
 */
export function cropsOf(
  picture: Picture & { readonly data: Uint8Array },
  name: string,
  count: number,
  size: ImageSize,
  preparation: Preparation,
): Uint8Array {
  const { height, width, channels } = size;
  const random = stream(0, 'crops', name);
  const length = height * width * channels;
  const out = new Uint8Array(count * length);
  /** Where an image begins along a side of the picture. */
  const begin = (side: number, own: number): number =>
    own > side ? (random.below(1, own - side + 1)[0] as number) : -Math.floor((side - own) / 2);
  for (let k = 0; k < count; k++) {
    const [top, left] = [begin(height, picture.height), begin(width, picture.width)];
    const part = { width, height, data: cut(picture, top, left, height, width) };
    out.set(prepare(part, size, preparation) as Uint8Array, k * length);
  }
  return out;
}

/** The pixels of a rectangle of a picture; outside of it they are 0. */
function cut(
  picture: Picture & { readonly data: Uint8Array },
  top: number,
  left: number,
  height: number,
  width: number,
): Uint8Array {
  const channels = picture.data.length / (picture.width * picture.height);
  const out = new Uint8Array(height * width * channels);
  const [from, to] = [Math.max(0, left), Math.min(picture.width, left + width)];
  for (let y = Math.max(0, -top); y < Math.min(height, picture.height - top); y++) {
    const line = (top + y) * picture.width;
    const row = picture.data.subarray((line + from) * channels, (line + to) * channels);
    out.set(row, (y * width + from - left) * channels);
  }
  return out;
}
