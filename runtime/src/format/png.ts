/**
 * Writes PNG files (ISO/IEC 15948) with 8 bits per channel: grey, in colour, or in colour with alpha.
 * Imported only when a picture is written, because most programs that load a model write none. It
 * uses only what both Node and browsers offer.
 */
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const COLOR_TYPE: Readonly<Record<number, number>> = { 1: 0, 3: 2, 4: 6 };

/**
 * The bytes of a PNG file.
 *
 * @param channels 1 (grey), 3 (red, green, blue) or 4 (with alpha)
 * @param pixels [height, width, channels], in row-major order
 * @throws RangeError if there are 2 channels, or more than 4
 */
export async function encodePNG(
  width: number,
  height: number,
  channels: number,
  pixels: Uint8Array,
): Promise<Uint8Array> {
  const colorType = COLOR_TYPE[channels];
  if (colorType === undefined)
    throw new RangeError(`A PNG has 1, 3 or 4 channels here, not ${channels}`);
  const stride = width * channels;
  const rows = new Uint8Array(height * (stride + 1)); // each row follows its filter type, 0: none
  for (let y = 0, from = 0, to = 0; y < height; y++) {
    to++;
    for (let end = from + stride; from < end; ) rows[to++] = pixels[from++] as number;
  }
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8); // bits per channel
  header.setUint8(9, colorType); // then zeros: deflate, the standard filters, not interlaced
  return fileOf([
    ['IHDR', new Uint8Array(header.buffer)],
    ['IDAT', await deflate(rows)],
    ['IEND', new Uint8Array(0)],
  ]);
}

/** The chunks of a file, each with its length, its type and its checksum. */
function fileOf(chunks: readonly (readonly [type: string, data: Uint8Array])[]): Uint8Array {
  const length = chunks.reduce((sum, [, data]) => sum + 12 + data.length, SIGNATURE.length);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set(SIGNATURE);
  let at = SIGNATURE.length;
  for (const [type, data] of chunks) {
    const end = at + 8 + data.length;
    view.setUint32(at, data.length);
    for (let k = 0; k < 4; k++) bytes[at + 4 + k] = type.charCodeAt(k);
    bytes.set(data, at + 8);
    view.setUint32(end, checksum(bytes.subarray(at + 4, end)));
    at = end + 4;
  }
  return bytes;
}

/** The most bytes that are compressed at once, where that is possible: it takes less than a millisecond. */
const AT_ONCE = 2 ** 15;

/** Under Node its zlib, which a bundler for browsers does not see. */
const zlib = globalThis.process?.getBuiltinModule?.('node:zlib');

/**
 * Compresses in zlib's format (RFC 1950), which PNG uses. Streams take ten times as long for the picture of a
 * digit. Of so few pixels it is enough to look for runs: files stay about as small, and are made sooner.
 */
export async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  if (!zlib || bytes.length > AT_ONCE) return deflateStream(bytes);
  return new Uint8Array(zlib.deflateSync(bytes, { strategy: zlib.constants.Z_RLE }));
}

/** The same for all sizes and everywhere, with other bytes. */
export async function deflateStream(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as BlobPart]).stream();
  const compressed = stream.pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(compressed).arrayBuffer());
}

/** The CRC-32 (polynomial 0xEDB88320) of each single byte. */
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) {
    c = (CRC[(c ^ (bytes[i] as number)) & 255] as number) ^ (c >>> 8);
  }
  return ~c >>> 0;
}

/** By Node's zlib, if that has it. */
const checksum: (bytes: Uint8Array) => number = zlib?.crc32 ?? crc32;
