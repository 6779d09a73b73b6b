/** Grids of images, as PNGs embedded in a page. */
import { Images } from '@gpn/runtime';
import type { Pictures } from '@gpn/training';
import escapeHtml from 'escape-html';

const uri = (type: string, bytes: Uint8Array): string =>
  `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;

export const svgUri = (svg: string): string => uri('image/svg+xml', Buffer.from(svg));

/** Narrower images are enlarged to about this many pixels. */
const SHOWN = 56;

/** Some images of a set, row by row, as an `img` element with its size. */
export async function grid(
  { height, width, channels, images }: Pictures,
  places: readonly number[],
  columns: number,
  alt: string,
): Promise<string> {
  const size = height * width * channels;
  const data = new Float32Array(places.length * size);
  places.forEach((place, i) => {
    data.set(images.subarray(place * size, (place + 1) * size), i * size);
  });
  return imagesGrid(
    new Images(places.length, height, width, channels, [0, 255], data),
    columns,
    alt,
  );
}

export async function imagesGrid(images: Images, columns: number, alt: string): Promise<string> {
  const scale = Math.max(1, Math.round(SHOWN / images.width));
  const { width, height } = images.toGrid({ columns });
  const source = uri('image/png', await images.toPNG({ columns }));
  return `<img class="pixels" alt="${escapeHtml(alt)}" width="${width * scale}" height="${height * scale}" src="${source}">`;
}

/** The first places for which `wanted` holds. */
export function firstWhere(count: number, wanted: (k: number) => boolean, most: number): number[] {
  const found: number[] = [];
  for (let k = 0; k < count && found.length < most; k++) if (wanted(k)) found.push(k);
  return found;
}
