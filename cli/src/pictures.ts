/** Pictures in files, of the formats that sharp knows; loaded only by commands that are given one. */
import { readFile } from 'node:fs/promises';
import { type Images, type Picture, UserError } from '@gpn/runtime';
import sharp from 'sharp';
import { readStdin } from './files.js';

/** Larger pictures are refused before they are decoded: a small file can claim any size. */
const MAX_PIXELS = 2 ** 27;

/**
 * Reads a picture, turned as its EXIF says; of an animated one the first frame.
 *
 * @param path `-` for the standard input
 * @throws UserError where it cannot be read or is no picture
 */
export async function readPicture(path: string): Promise<Picture> {
  const name = path === '-' ? 'The standard input' : path;
  let bytes: Uint8Array;
  try {
    bytes = path === '-' ? await readStdin() : await readFile(path);
  } catch (error) {
    throw new UserError(`${name} cannot be read: ${(error as Error).message}.`);
  }
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels: MAX_PIXELS })
      .rotate()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: new Uint8Array(data) };
  } catch (error) {
    const reason = (error as Error).message.trim().split('\n')[0]?.replace(/\.$/, '');
    throw new UserError(`${name} is not a picture that can be read: ${reason}.`);
  }
}

/** Milliseconds that a frame of a walk is shown. */
const FRAME = 60;

/** Pixels of the shorter side from which a frame need not be enlarged to be looked at. */
const SHOWN = 224;

/** The images one after the other, for ever, as the bytes of an animated picture. */
export async function animation(images: Images, format: 'gif' | 'webp'): Promise<Uint8Array> {
  const { count, height, width, channels } = images;
  const scale = Math.max(1, Math.round(SHOWN / Math.min(width, height)));
  const pixels = enlarge(images.toUint8(), count * height, width, channels, scale);
  const pageHeight = height * scale;
  const raw = {
    width: width * scale,
    height: pageHeight * count,
    channels: 3 as const,
    pageHeight,
  };
  const frames = sharp(pixels, { raw, limitInputPixels: false });
  const timing = { delay: Array<number>(count).fill(FRAME), loop: 0 };
  const encoded =
    format === 'gif' ? frames.gif(timing) : frames.webp({ ...timing, lossless: true });
  return new Uint8Array(await encoded.toBuffer());
}

/** Each pixel as a square of `scale` × `scale`, in RGB. */
function enlarge(
  pixels: Uint8Array,
  height: number,
  width: number,
  channels: number,
  scale: number,
): Uint8Array {
  const line = width * scale * 3;
  const out = new Uint8Array(height * scale * line);
  for (let y = 0; y < height; y++) {
    const top = y * scale * line;
    for (let x = 0; x < width * scale; x++) {
      const from = (y * width + Math.floor(x / scale)) * channels;
      for (let c = 0; c < 3; c++) {
        out[top + 3 * x + c] = pixels[from + (channels === 1 ? 0 : c)] as number;
      }
    }
    for (let k = 1; k < scale; k++) out.copyWithin(top + k * line, top, top + line);
  }
  return out;
}
