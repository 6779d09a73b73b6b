/** Reads folders of PNG, JPEG and WebP images, which sharp decodes and resizes. */
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { processors, reasonOf, UserError } from '@gpn/runtime';
import pMap from 'p-map';
import { fileError } from '../../files/atomic.js';
import type { Images } from '../types.js';

/** The size to which images are resized. */
export interface ImageSize {
  height: number;
  width: number;
  /** 1 for grey, 3 for RGB. */
  channels: number;
}

const EXTENSIONS = new Set(['.png', '.jpg', '.jpeg', '.webp']);
const FORMATS = new Set<string>(['png', 'jpeg', 'webp']);

/** Larger images are refused before decoding, because a small file can unpack to gigabytes. */
const MAX_PIXELS = 100_000_000;

interface Listing {
  /** Paths relative to the folder, with `/`, sorted by code units within each class. */
  files: string[];
  labels?: Uint8Array;
  classes?: string[];
}

/**
 * Loads all images below a folder in a fixed order. Each is cropped around its centre to the aspect
 * ratio of the size, resized, rotated according to its EXIF data, put on black where it is
 * transparent, and converted to grey or RGB.
 *
 * @throws UserError if there is no image, or naming the image that cannot be read
 */
export async function loadImages(
  folder: string,
  options: ImageSize & { onProgress?: (done: number, total: number) => void },
): Promise<Images> {
  const { height, width, channels } = options;
  const { files, ...labelled } = await listImages(folder);
  const size = height * width * channels;
  const images = allocate(files.length * size, folder);
  const decode = await decoder(options);
  let done = 0;
  const decodeOne = async (file: string, index: number) => {
    images.set(await decode(join(folder, file)), index * size);
    options.onProgress?.(++done, files.length);
  };
  await pMap(files, decodeOne, { concurrency: processors() });
  const name = basename(resolve(folder));
  return { name, count: files.length, height, width, channels, images, ...labelled };
}

/** Allocates shared memory. @throws UserError if there is not enough memory */
export function allocate(bytes: number, folder: string): Uint8Array {
  try {
    return new Uint8Array(new SharedArrayBuffer(bytes));
  } catch {
    const gigabytes = (bytes / 2 ** 30).toFixed(1);
    throw new UserError(
      `The images of ${folder} need ${gigabytes} GiB of memory at the recipe's size; make data.height and data.width smaller, or give fewer images.`,
    );
  }
}

/** Lists the images of a folder; sub-folders with images are the classes. */
export async function listImages(folder: string): Promise<Listing> {
  try {
    const names = (await readdir(folder)).filter(visible).sort();
    const classes: { name: string; files: string[] }[] = [];
    const loose: string[] = [];
    for (const name of names) {
      if ((await stat(join(folder, name))).isDirectory()) {
        const files = await walk(folder, name);
        if (files.length > 0) classes.push({ name, files });
      } else if (isImage(name)) loose.push(name);
    }
    return arrange(folder, loose, classes);
  } catch (error) {
    throw fileError('read', folder, error);
  }
}

function arrange(
  folder: string,
  loose: string[],
  classes: { name: string; files: string[] }[],
): Listing {
  if (loose.length === 0 && classes.length === 0) {
    throw new UserError(
      `${folder} has no PNG, JPEG or WebP images, and no IDX files such as train-images-idx3-ubyte.`,
    );
  }
  if (classes.length === 0) return { files: loose };
  if (loose.length > 0) {
    throw new UserError(
      `${folder} has images beside its sub-folders (${loose[0]}); move them into sub-folders, ` +
        'whose names are the classes, or have no sub-folders.',
    );
  }
  if (classes.length > 256) {
    throw new UserError(
      `${folder} has ${classes.length} sub-folders of images; at most 256 are allowed.`,
    );
  }
  return {
    files: classes.flatMap(({ files }) => files),
    labels: Uint8Array.from(classes.flatMap(({ files }, label) => files.map(() => label))),
    classes: classes.map(({ name }) => name),
  };
}

/** All images below `folder/within`, at any depth. Links to folders are not followed. */
async function walk(folder: string, within: string): Promise<string[]> {
  const entries = await readdir(join(folder, within), { withFileTypes: true });
  const files = await Promise.all(
    entries
      .filter(({ name }) => visible(name))
      .map((entry) => {
        const path = `${within}/${entry.name}`;
        if (entry.isDirectory()) return walk(folder, path);
        return isImage(entry.name) ? [path] : [];
      }),
  );
  return files.flat().sort();
}

const visible = (name: string) => !name.startsWith('.') && name !== '__MACOSX';
const isImage = (name: string) => EXTENSIONS.has(extname(name).toLowerCase());

/** Returns a function that decodes a file to [height, width, channels] bytes. */
async function decoder({ height, width, channels }: ImageSize) {
  const { default: sharp } = await import('sharp').catch((error: unknown) => {
    throw new UserError(
      `Images cannot be decoded, because sharp does not load here (${reasonOf(error)}): run \`npm install sharp\`.`,
    );
  });
  return async (path: string): Promise<Uint8Array> => {
    try {
      const image = sharp(path, { limitInputPixels: MAX_PIXELS, failOn: 'error' });
      // Check the content, because libvips would also read an SVG, PDF or TIFF file named .png.
      const { format } = await image.metadata();
      if (!FORMATS.has(format)) throw new Error(`it is ${format}`);
      const { data, info } = await image
        .autoOrient()
        .flatten({ background: '#000000' })
        .resize(width, height, { fit: 'cover' })
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      if (info.channels !== channels) throw new Error(`it has ${info.channels} channels`);
      return data;
    } catch (error) {
      throw new UserError(
        `${path} is not a readable PNG, JPEG or WebP image (${reasonOf(error)}); repair or remove it.`,
      );
    }
  };
}
