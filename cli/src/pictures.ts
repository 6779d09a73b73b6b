/** Pictures in files, of the formats that sharp knows; loaded only by commands that are given one. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** The images as frames, one below the other, in RGB. */
function framesOf(images: Images) {
  const { count, height, width, channels } = images;
  const scale = Math.max(1, Math.round(SHOWN / Math.min(width, height)));
  const pixels = enlarge(images.toUint8(), count * height, width, channels, scale);
  return { pixels, count, width: width * scale, height: height * scale };
}

/** The images one after the other, for ever, as the bytes of an animated picture. */
export async function animation(images: Images, format: 'gif' | 'webp'): Promise<Uint8Array> {
  const { pixels, count, width, height } = framesOf(images);
  const raw = { width, height: height * count, channels: 3 as const, pageHeight: height };
  const frames = sharp(pixels, { raw, limitInputPixels: false });
  const timing = { delay: Array<number>(count).fill(FRAME), loop: 0 };
  const encoded =
    format === 'gif' ? frames.gif(timing) : frames.webp({ ...timing, lossless: true });
  return new Uint8Array(await encoded.toBuffer());
}

/**
 * The images one after the other as the bytes of an MP4 file, encoded by the system's ffmpeg.
 *
 * @throws UserError where there is no ffmpeg, or it fails
 */
export async function video(images: Images): Promise<Uint8Array> {
  const { pixels, width, height } = framesOf(images);
  const folder = await mkdtemp(join(tmpdir(), 'gpn-video-'));
  const file = join(folder, 'video.mp4'); // a pipe would not do: the format goes back to its start
  try {
    await ffmpeg(
      [
        ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`],
        ...['-framerate', `1000/${FRAME}`, '-i', '-'],
        // What every player shows: even sides, and colours at half of the resolution.
        ...['-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2', '-pix_fmt', 'yuv420p'],
        ...['-movflags', '+faststart', file],
      ],
      pixels,
    );
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs ffmpeg on the bytes of its standard input. */
export function ffmpeg(args: string[], input: Uint8Array = new Uint8Array(0)): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...args], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    child.stdin.on('error', () => {}); // it left early: its exit code says so
    child.on('error', () =>
      reject(
        new UserError(
          'An .mp4 file takes ffmpeg, and there is none on the PATH: install it ' +
            '(Debian: apt-get install ffmpeg), or write .gif or .webp.',
        ),
      ),
    );
    child.on('close', (code) => {
      const reason = said.trim().split('\n').at(-1)?.replace(/\.$/, '') || `exit code ${code}`;
      if (code === 0) resolve();
      else reject(new UserError(`ffmpeg could not write the .mp4 file: ${reason}.`));
    });
    child.stdin.end(input);
  });
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
