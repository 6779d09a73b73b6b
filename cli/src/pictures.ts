/** Pictures in files, in the formats that sharp reads and writes. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Images, type Picture, reasonOf, UserError } from '@gpn/runtime';
import { fileReason } from '@gpn/training/atomic';
import { decode, filesBelow, inspectionIn, sortFiles, Unreadable } from '@gpn/training/pictures';
import { kindOf, readStdin } from './files.js';

/** Loads sharp only for an animation: most commands write PNGs without it. */
const loadSharp = async () => (await import('sharp')).default;

/**
 * Reads a picture, upright as its EXIF data says. Of an animation it reads the first frame.
 *
 * @param path `-` for the standard input
 * @throws UserError if it cannot be read or is not a picture
 */
export async function readPicture(path: string): Promise<Picture> {
  const name = path === '-' ? 'The standard input' : path;
  let bytes: Uint8Array;
  try {
    bytes = path === '-' ? await readStdin() : await readFile(path);
  } catch (error) {
    throw new UserError(`${name} cannot be read: ${fileReason(error) ?? reasonOf(error)}.`);
  }
  try {
    return (await decode(bytes)).picture;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    throw new UserError(`${name} ${error.message}.`);
  }
}

/** What is to be scored: the path of a picture, or why there is none. */
export interface Found {
  readonly path: string;
  readonly problem?: string;
}

/**
 * Finds the pictures at these paths: those of a folder at any depth, of one that is laid out like MVTec
 * AD's those to be tested, and other paths as they are.
 *
 * @throws UserError if a folder has no pictures
 */
export async function findPictures(paths: readonly string[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const given of paths) {
    if ((await kindOf(given)) !== 'folder') {
      found.push({ path: given });
      continue;
    }
    const path = (await inspectionIn(given))?.tested ?? given;
    const { pictures, problems } = await sortFiles(path, await filesBelow(path));
    found.push(
      ...pictures.map((picture) => ({ path: join(path, picture.path) })),
      ...problems.map(({ file, reason }) => {
        const at = join(path, file);
        return { path: at, problem: `${at} ${reason}.` };
      }),
    );
  }
  return found;
}

/** Milliseconds for which a frame is shown. */
const FRAME = 60;

/** Frames whose shorter side has fewer pixels are enlarged to about this size. */
const SHOWN = 224;

/** The images as frames, one below the other, in RGB or RGBA. */
function framesOf(images: Images) {
  const { count, height, width } = images;
  const channels = images.channels === 4 ? (4 as const) : (3 as const);
  const scale = Math.max(1, Math.round(SHOWN / Math.min(width, height)));
  const pixels = enlarge(images, channels, scale);
  return { pixels, channels, count, width: width * scale, height: height * scale };
}

/** The bytes of an animated picture that shows one image after the other, in a loop. */
export async function animation(images: Images, format: 'gif' | 'webp'): Promise<Uint8Array> {
  const sharp = await loadSharp();
  const { pixels, channels, count, width, height } = framesOf(images);
  const raw = { width, height: height * count, channels, pageHeight: height };
  const frames = sharp(pixels, { raw, limitInputPixels: false });
  const timing = { delay: Array<number>(count).fill(FRAME), loop: 0 };
  const encoded =
    format === 'gif' ? frames.gif(timing) : frames.webp({ ...timing, lossless: true });
  return new Uint8Array(await encoded.toBuffer());
}

/**
 * The bytes of an MP4 file that shows one image after the other, encoded by the system's ffmpeg. It has
 * no alpha: what is transparent shows white.
 *
 * @throws UserError if ffmpeg is not installed or fails
 */
export async function video(images: Images): Promise<Uint8Array> {
  const { pixels: frames, channels, width, height } = framesOf(images);
  const pixels = channels === 4 ? onWhite(frames) : frames;
  const folder = await mkdtemp(join(tmpdir(), 'gpn-video-'));
  const file = join(folder, 'video.mp4'); // not a pipe: the encoder goes back to the start of the file
  try {
    await ffmpeg(
      [
        ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`],
        ...['-framerate', `1000/${FRAME}`, '-i', '-'],
        // Players need even sides and colours at half the resolution.
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

/**
 * Runs ffmpeg with these bytes as its standard input.
 *
 * @throws UserError if ffmpeg is not installed or fails
 */
export function ffmpeg(args: string[], input: Uint8Array = new Uint8Array(0)): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...args], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    child.stdin.on('error', () => {}); // if it ends early, its exit code says so
    child.on('error', () =>
      reject(
        new UserError(
          'An .mp4 file needs ffmpeg, which is not on the PATH: install it ' +
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

/** Pixels with alpha as they look on white, in RGB. */
function onWhite(rgba: Uint8Array): Uint8Array {
  const out = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0; i < rgba.length / 4; i++) {
    const alpha = (rgba[4 * i + 3] as number) / 255;
    for (let c = 0; c < 3; c++) {
      out[3 * i + c] = Math.round(255 + alpha * ((rgba[4 * i + c] as number) - 255));
    }
  }
  return out;
}

/** Replaces each pixel by a square of `scale` × `scale` pixels, with `to` channels. */
function enlarge(images: Images, to: 3 | 4, scale: number): Uint8Array {
  const { count, height, width, channels } = images;
  const pixels = images.toUint8();
  const line = width * scale * to;
  const out = new Uint8Array(count * height * scale * line);
  for (let y = 0; y < count * height; y++) {
    const top = y * scale * line;
    for (let x = 0; x < width * scale; x++) {
      const from = (y * width + Math.floor(x / scale)) * channels;
      for (let c = 0; c < to; c++) {
        out[top + to * x + c] = pixels[from + (channels === 1 ? 0 : c)] as number;
      }
    }
    for (let k = 1; k < scale; k++) out.copyWithin(top + k * line, top, top + line);
  }
  return out;
}
