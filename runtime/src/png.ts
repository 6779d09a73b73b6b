/**
 * Writes PNG files (ISO/IEC 15948): 8 bits a channel, one gray or three colour channels. Imported
 * when a picture is written, since most programs that load a model write none.
 */
import { promisify } from 'node:util';
import { crc32, deflate } from 'node:zlib';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const COLOR_TYPE: Readonly<Record<number, number>> = { 1: 0, 3: 2 };

/**
 * The bytes of a PNG file.
 *
 * @param pixels height × width × channels values, row by row
 * @param channels 1 (gray) or 3 (red, green, blue)
 */
export async function encodePNG(
  width: number,
  height: number,
  channels: number,
  pixels: Uint8Array,
): Promise<Uint8Array> {
  const colorType = COLOR_TYPE[channels];
  if (colorType === undefined) throw new RangeError(`A PNG has 1 or 3 channels, not ${channels}`);
  const stride = width * channels;
  const rows = new Uint8Array(height * (stride + 1)); // each row after its filter type, 0: none
  for (let y = 0; y < height; y++) {
    rows.set(pixels.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  }
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8); // bits a channel
  header.setUint8(9, colorType); // then zeros: deflate, the standard filters, not interlaced

  const chunk = (type: string, data: Uint8Array): Uint8Array => {
    const bytes = Buffer.alloc(12 + data.length);
    bytes.writeUInt32BE(data.length, 0);
    bytes.write(type, 4, 'latin1');
    bytes.set(data, 8);
    bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
    return bytes;
  };
  const compressed = await promisify<Uint8Array, Buffer>(deflate)(rows);
  const file = Buffer.concat([
    Uint8Array.from(SIGNATURE),
    chunk('IHDR', new Uint8Array(header.buffer)),
    chunk('IDAT', compressed),
    chunk('IEND', new Uint8Array(0)),
  ]);
  return new Uint8Array(file.buffer, file.byteOffset, file.length);
}
