/** Folders of pictures, written by the tests that read them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { temporaryFolder } from '../temp-folder.js';

const dir = await temporaryFolder();

/** A folder of these files, whose names are paths in it. */
export async function folder(
  name: string,
  files: Record<string, Uint8Array | string>,
): Promise<string> {
  for (const [file, bytes] of Object.entries(files)) {
    const path = join(dir, name, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
  return join(dir, name);
}

export const raw = (pixels: Uint8Array, width: number, height: number, channels: 1 | 2 | 3 | 4) =>
  sharp(pixels, { raw: { width, height, channels } });

/** A PNG, written from its specification: colour type 0 grey, 2 RGB, 4 grey + alpha, 6 RGBA. */
export function png(
  width: number,
  height: number,
  type: number,
  depth: number,
  rows: Uint8Array,
): Buffer {
  const chunk = (name: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, type], 8);
  const scan = rows.length / height;
  const filtered = Buffer.concat(
    Array.from({ length: height }, (_, y) => [
      Uint8Array.of(0),
      rows.subarray(y * scan, (y + 1) * scan),
    ]).flat(),
  );
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(filtered)),
    chunk('IEND', new Uint8Array()),
  ]);
}

export const GREY = { height: 2, width: 4, channels: 1 };
