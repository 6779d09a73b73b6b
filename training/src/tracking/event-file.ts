/** Reads how far an event file goes, and cuts off what a kill or a power cut left half written. */
import { readFileSync, truncateSync } from 'node:fs';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { fileError } from '../files/atomic.js';
import { crc32c } from './crc32c.js';
import { masked } from './events.js';

/** Bytes of a frame before its data: their length and its checksum. After the data comes theirs. */
const [BEFORE, AFTER] = [12, 4];

/**
 * Cuts an event file after its last whole record; readers of such files stop at a broken one.
 * @returns the highest step of its records; 0 if it has none
 * @throws UserError if the file cannot be read or written
 */
export function mendEventFile(path: string): number {
  try {
    const file = readFileSync(path);
    let [at, step] = [0, 0];
    for (let data = dataAt(file, at); data; data = dataAt(file, at)) {
      at += BEFORE + data.length + AFTER;
      step = Math.max(step, stepOf(data));
    }
    if (at < file.length) truncateSync(path, at);
    return step;
  } catch (error) {
    throw fileError('mend', path, error);
  }
}

/** The data of the record at an offset; undefined if it is not whole, or at the end of the file. */
function dataAt(file: Buffer, at: number): Uint8Array | undefined {
  if (at + BEFORE > file.length) return undefined;
  const length = Number(file.readBigUInt64LE(at));
  const end = at + BEFORE + length;
  const known = file.readUInt32LE(at + 8) === masked(crc32c(file.subarray(at, at + 8)));
  if (!known || end + AFTER > file.length) return undefined;
  const data = file.subarray(at + BEFORE, end);
  // Damage before the last record does not keep readers from those after it.
  const last = end + AFTER === file.length;
  return last && file.readUInt32LE(end) !== masked(crc32c(data)) ? undefined : data;
}

/** The step of an `Event` message, whose fields are written in the order of their numbers. */
function stepOf(data: Uint8Array): number {
  const reader = new BinaryReader(data);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 2) return Number(reader.int64());
    if (field > 2) break;
    reader.skip(type);
  }
  return 0;
}
