/** Decodes pictures by sharp. It only decodes: `prepare` of the runtime does all the rest. */
import { type Picture, reasonOf, UserError } from '@gpn/runtime';
import { FOREIGN, type Foreign, HEAD, isReadable, kindOf, type Readable } from './kinds.js';

/** Larger pictures are refused before they are decoded, because a small file can claim any size. */
export const MAX_PIXELS = 2 ** 27;

/** A decoded picture: upright as its EXIF data says, in sRGB, 8 bits a channel. */
export interface Decoded {
  readonly picture: Picture & { readonly data: Uint8Array };
  readonly kind: Readable;
  /** Whether the file has 16 bits a channel. */
  readonly deep: boolean;
}

/** Why a file cannot be read, as the end of a sentence whose subject is the file. */
export class Unreadable extends Error {}

/** Loads sharp only for a picture that needs it. */
async function loadSharp() {
  const { default: sharp } = await import('sharp').catch((error: unknown) => {
    throw new UserError(
      `Images cannot be decoded, because sharp does not load here (${reasonOf(error)}): run \`npm install sharp\`.`,
    );
  });
  return sharp;
}

/** What libvips says, and what it means. */
const REASONS: readonly [RegExp, string][] = [
  [
    /premature end|unexpected end|end of (file|stream|data)|truncated|not enough|read error|short/i,
    'is cut short',
  ],
  [/(unsupported|unknown) .*(compression|codec)/i, 'is compressed in a way that is not known here'],
];

/**
 * Decodes a picture. Of an animation it is the first frame, of several pages the first.
 *
 * @param most pixels; a larger picture is refused before it is decoded
 * @throws Unreadable with the reason
 */
export async function decode(bytes: Uint8Array, most = MAX_PIXELS): Promise<Decoded> {
  const kind = readableKind(bytes);
  const sharp = await loadSharp();
  try {
    const image = sharp(bytes, { limitInputPixels: false, failOn: 'error' });
    const { width, height, depth } = await image.metadata();
    if (width * height > most) {
      const megapixels = Math.round((width * height) / 1e6);
      throw new Unreadable(
        `has ${megapixels} megapixels (${width} × ${height}), and at most ${Math.floor(most / 1e6)} are read`,
      );
    }
    if (depth !== 'uchar' && depth !== 'ushort') {
      throw new Unreadable(
        `holds ${depth} values, of which nothing says what is black and white (convert it to 8 or 16 bits)`,
      );
    }
    const { data, info } = await image
      .autoOrient()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
    const picture = { width: info.width, height: info.height, data: pixels };
    return { picture, kind, deep: depth === 'ushort' };
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    throw new Unreadable(reason(error, kind, bytes));
  }
}

function readableKind(bytes: Uint8Array): Readable {
  if (bytes.length === 0) throw new Unreadable('is empty');
  const kind = kindOf(bytes.subarray(0, HEAD));
  if (isReadable(kind)) return kind;
  if (kind)
    throw new Unreadable(`is ${article(kind)} ${kind} file, which is not read: ${FOREIGN[kind]}`);
  throw new Unreadable('is not a picture');
}

const article = (kind: Foreign) => (/^(HEIC|BMP|PSD|JPEG|PDF)/.test(kind) ? 'a' : 'an');

/** Whether a file has its end. libvips does not always say that it is missing. */
const ENDS: Readonly<Partial<Record<Readable, (bytes: Buffer) => boolean>>> = {
  PNG: (bytes) => bytes.includes('IEND'),
  // The end of the image follows the start of its last scan; a thumbnail before it has both, too.
  JPEG: (bytes) =>
    bytes.lastIndexOf(Buffer.of(0xff, 0xd9)) > bytes.lastIndexOf(Buffer.of(0xff, 0xda)),
  WebP: (bytes) => bytes.length >= 8 + bytes.readUInt32LE(4),
};

function reason(error: unknown, kind: Readable, bytes: Uint8Array): string {
  const said = reasonOf(error);
  const known = REASONS.find(([pattern]) => pattern.test(said));
  if (known) return known[1];
  const ends = ENDS[kind]?.(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) ?? true;
  if (!ends) return 'is cut short';
  return /unknown error/i.test(said) ? `is a damaged ${kind}` : `is a damaged ${kind} (${said})`;
}
