import { crc32 } from 'node:zlib';
import { encode } from 'fast-png';

/** A grey PNG. */
export const png = (width: number, height: number): Buffer =>
  Buffer.from(
    encode({ width, height, channels: 1, data: new Uint8Array(width * height).fill(100) }),
  );

/** A PNG of one pixel whose header says that it is large. */
export function bigPNG(width: number, height: number): Buffer {
  const bytes = png(1, 1);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}
