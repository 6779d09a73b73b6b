/** Pictures made smaller by a whole number, as detectors of several scales see them. */

/** The size of a picture that is reduced: what is left over of a side is cut off. */
export const reducedSize = (
  { width, height }: { width: number; height: number },
  scale: number,
): { width: number; height: number } => ({
  width: Math.floor(width / scale),
  height: Math.floor(height / scale),
});

/**
 * The average of each block of scale × scale pixels.
 *
 * @param pixels [height, width, channels]
 * @returns [⌊height / scale⌋, ⌊width / scale⌋, channels]
 */
export function reduced(
  pixels: ArrayLike<number>,
  size: { width: number; height: number },
  channels: number,
  scale: number,
): Float32Array {
  const { width, height } = reducedSize(size, scale);
  const out = new Float32Array(width * height * channels);
  const line = size.width * channels;
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const corner = y * scale * line + x * scale * channels + c;
        let sum = 0;
        for (let v = 0; v < scale; v++) {
          for (let u = 0; u < scale; u++) sum += pixels[corner + v * line + u * channels] as number;
        }
        out[to++] = sum / scale ** 2;
      }
    }
  }
  return out;
}
