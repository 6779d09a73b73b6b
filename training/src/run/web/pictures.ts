/** Pictures that a page has, as the images that a step takes. */
import { product, UserError } from '@gpn/runtime';
import { PREPARATION, type Preparation, prepare } from '@gpn/runtime/prepare';
import { classesOf, type StepInfo } from '../../export/step-file.js';
import type { PageImages } from './data.js';

/** A picture: a file, a drawing, or pixels. */
export type PageSource = Blob | HTMLCanvasElement | OffscreenCanvas | ImageData;

/**
 * Pictures: one for each image, such as the files of a folder picker; or the address of one picture that
 * holds all images in rows, a sheet, of the size that the step takes.
 */
export type PagePictures = string | URL | Iterable<PageSource>;

/** Images made of pictures. */
export interface Prepared extends PageImages {
  /** The names of files that are no pictures that this browser can read. */
  readonly unread: readonly string[];
}

/**
 * Makes images of pictures as `gpn-cli train` does of a folder's. Files in folders get the names of their
 * folders as classes, if the step takes classes.
 * @param onProgress called after each picture
 * @throws UserError if no picture can be read, or a sheet is not of whole images
 */
export async function imagesFrom(
  pictures: PagePictures,
  info: StepInfo,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<Prepared> {
  if (typeof pictures === 'string' || pictures instanceof URL) return cutSheet(pictures, info);
  const all = [...pictures];
  const read: { source: PageSource; image: Uint8Array }[] = [];
  const unread: string[] = [];
  for (const [i, source] of all.entries()) {
    const pixels = await pixelsOf(source);
    if (pixels) read.push({ source, image: imageOf(pixels, info) });
    else unread.push(nameOf(source));
    onProgress(i + 1, all.length);
  }
  if (read.length === 0) {
    throw new UserError(
      all.length === 0
        ? 'There are no pictures: choose some, or a folder of them.'
        : `None of the ${all.length} file(s) is a picture that this browser can read: choose PNG, JPEG or WebP files.`,
    );
  }
  const folders = read.map(({ source }) => folderOf(source));
  const [first = ''] = folders;
  return {
    images: joined(read.map(({ image }) => image)),
    name: first.split('/')[0] || 'pictures of a page',
    unread,
    ...(classesOf(info) && labelled(folders.map((path) => path.split('/').pop() ?? ''))),
  };
}

/** The folder of a picked file, as a path from the picked folder on. */
const folderOf = (source: PageSource): string =>
  'webkitRelativePath' in source
    ? (source as File).webkitRelativePath.split('/').slice(0, -1).join('/')
    : '';

const nameOf = (source: PageSource): string =>
  'name' in source ? (source as File).name : 'a picture';

function labelled(names: readonly string[]): Pick<PageImages, 'labels' | 'classes'> {
  const classes = [...new Set(names)].sort();
  return { classes, labels: Uint8Array.from(names, (name) => classes.indexOf(name)) };
}

async function cutSheet(address: string | URL, info: StepInfo): Promise<Prepared> {
  const url = new URL(address, globalThis.document?.baseURI);
  const answer = await fetch(url).catch(() => undefined);
  const name = url.pathname.split('/').pop() || url.href;
  if (!answer?.ok) {
    throw new UserError(
      `${name} cannot be fetched (${answer ? `the server answers ${answer.status}` : 'no answer'}): check the address of the pictures.`,
    );
  }
  const sheet = await pixelsOf(await answer.blob());
  if (!sheet) throw new UserError(`${name} is not a picture that this browser can read.`);
  const { height, width } = info.recipe.data;
  const [across, down] = [sheet.width / width, sheet.height / height];
  if (!Number.isInteger(across) || !Number.isInteger(down)) {
    throw new UserError(
      `${name} has ${sheet.width} × ${sheet.height} pixels, which are not whole images of ${width} × ${height}: give a picture with the images in rows, without gaps.`,
    );
  }
  const tiles = Array.from({ length: across * down }, (_, k) =>
    imageOf(
      tile(sheet, (k % across) * width, Math.floor(k / across) * height, width, height),
      info,
    ),
  );
  return { images: joined(tiles), name: name.replace(/\.\w+$/, ''), unread: [] };
}

interface Pixels {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

function tile(sheet: Pixels, x: number, y: number, width: number, height: number): Pixels {
  const data = new Uint8ClampedArray(product([height, width, 4]));
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * sheet.width + x) * 4;
    data.set(sheet.data.subarray(from, from + width * 4), row * width * 4);
  }
  return { data, width, height };
}

function imageOf(pixels: Pixels, { recipe: { data }, networks }: StepInfo): Uint8Array {
  const preparation: Preparation = networks.generator.image.preparation ?? PREPARATION;
  return prepare(pixels, data, preparation) as Uint8Array;
}

/** The pixels of a picture; undefined if the browser cannot read it. */
async function pixelsOf(source: PageSource): Promise<Pixels | undefined> {
  if ('data' in source) return source;
  const bitmap = await createImageBitmap(source, {
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  }).catch(() => undefined);
  if (!bitmap) return undefined;
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context?.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context?.getImageData(0, 0, width, height);
}

function joined(images: readonly Uint8Array[]): Uint8Array {
  const [size = 0] = images.map(({ length }) => length);
  const all = new Uint8Array(size * images.length);
  images.forEach((image, i) => {
    all.set(image, i * size);
  });
  return all;
}
