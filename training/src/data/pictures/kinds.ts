/** What a file is, by its first bytes and not by its name. */

/** The kinds of pictures that are read. */
export const READABLE = ['PNG', 'JPEG', 'WebP', 'AVIF', 'GIF', 'TIFF'] as const;
/** One of {@link READABLE}. */
export type Readable = (typeof READABLE)[number];

/** Kinds of pictures that are known and not read, with what to do about them. */
export const FOREIGN = {
  HEIC: 'convert to JPEG or PNG, as with heif-convert or ImageMagick',
  BMP: 'convert to PNG, as with ImageMagick',
  SVG: 'draw as PNG at the size that you need, as with rsvg-convert',
  PSD: 'save as PNG',
  'JPEG XL': 'convert to JPEG or PNG, as with djxl',
  'JPEG 2000': 'convert to PNG, as with ImageMagick',
  ICO: 'convert to PNG, as with ImageMagick',
  PDF: 'draw the pages as PNG, as with pdftoppm',
} as const;
/** A kind of pictures that is not read. */
export type Foreign = keyof typeof FOREIGN;

/** How many bytes of a file tell its kind. */
export const HEAD = 512;

/** The brands of a file of the family of MP4 that holds an AVIF or HEIC picture. */
const BRANDS: readonly [brand: RegExp, kind: Readable | Foreign][] = [
  [/avi[fs]/, 'AVIF'],
  [/hei[cmsx]|hev[cmsx]|mif1|msf1/, 'HEIC'],
];

/** What stands where in a file, with a character for each byte. */
type Signature = readonly (readonly [at: number, text: string])[];

const SIGNATURES: readonly [Readable | Foreign, ...Signature][] = [
  ['PNG', [0, '\x89PNG\r\n\x1a\n']],
  ['JPEG', [0, '\xff\xd8\xff']],
  ['WebP', [0, 'RIFF'], [8, 'WEBP']],
  ['GIF', [0, 'GIF87a']],
  ['GIF', [0, 'GIF89a']],
  ['TIFF', [0, 'II*\0']],
  ['TIFF', [0, 'MM\0*']],
  ['TIFF', [0, 'II+\0']], // BigTIFF
  ['TIFF', [0, 'MM\0+']],
  ['BMP', [0, 'BM'], [6, '\0\0\0\0']],
  ['PSD', [0, '8BPS']],
  ['JPEG XL', [0, '\xff\x0a']],
  ['JPEG XL', [4, 'JXL \r\n']],
  ['JPEG 2000', [0, '\xff\x4f\xff\x51']],
  ['JPEG 2000', [4, 'jP  \r\n']],
  ['ICO', [0, '\0\0\x01\0']],
  ['PDF', [0, '%PDF-']],
];

/** The start of an SVG file, after what XML allows before it. */
const SVG =
  /^(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/s;

/** The kind of a file, by its first {@link HEAD} bytes; undefined if it is no picture. */
export function kindOf(head: Uint8Array): Readable | Foreign | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  if (text.startsWith('ftyp', 4)) {
    return BRANDS.find(([brand]) => brand.test(text.slice(8, 64)))?.[1];
  }
  const found = SIGNATURES.find(([, ...pieces]) =>
    pieces.every(([at, piece]) => text.startsWith(piece, at)),
  );
  return found?.[0] ?? (SVG.test(text) ? 'SVG' : undefined);
}

/** Whether a kind is one that is read. */
export const isReadable = (kind: string | undefined): kind is Readable =>
  (READABLE as readonly (string | undefined)[]).includes(kind);

const EXTENSION = /\.(png|apng|jpe?g|jfif|jpe|webp|avif|gif|tiff?)$/i;

/** Whether a file of this name ought to be a picture that can be read. */
export const isNamedAsPicture = (name: string): boolean => EXTENSION.test(name);
