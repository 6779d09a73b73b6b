/**
 * The IDX format of MNIST: two zero bytes, a byte for the type of the values, a byte for the rank,
 * each dimension as a big-endian uint32, then the values row by row.
 * http://yann.lecun.com/exdb/mnist
 */
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { product, reasonOf, UserError } from '@gpn/runtime';
import { fileError } from '../../files/atomic.js';

/** The contents of an IDX file. */
export interface Idx {
  /** Each dimension is at least 1. */
  shape: number[];
  data: Uint8Array;
}

const UINT8 = 0x08;
const TYPES: Record<number, string> = {
  8: 'uint8',
  9: 'int8',
  11: 'int16',
  12: 'int32',
  13: 'float32',
  14: 'float64',
};

/** Size limit of a file, also unpacked: a small .gz cannot exhaust the memory. */
const MAX_BYTES = 2 ** 30;

/**
 * Reads an IDX file of uint8 values, plain or gzipped (recognised by its
 * first bytes, not by its name).
 *
 * @param rank the expected rank: 3 for grey images, 1 for labels; any if not given
 * @throws UserError naming the file, what was expected and what was found
 */
export async function readIdx(path: string, rank?: number): Promise<Idx> {
  return parseIdx(await readUnzipped(path), path, rank);
}

/**
 * The bytes of a file, unpacked if it is gzipped.
 *
 * @throws UserError if it is missing, broken or larger than 1 GiB
 */
export async function readUnzipped(path: string): Promise<Uint8Array> {
  const bytes = await readBounded(path);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
        ? 'it unpacks to more than 1 GiB'
        : reasonOf(error);
    throw new UserError(`${path} is a broken gzip file (${reason}); download it again.`);
  }
}

async function readBounded(path: string): Promise<Uint8Array> {
  let size: number;
  try {
    size = (await stat(path)).size;
    if (size <= MAX_BYTES) return await readFile(path);
  } catch (error) {
    throw fileError('read', path, error);
  }
  throw new UserError(`${path} has ${size} bytes; a file of data may have at most ${MAX_BYTES}.`);
}

/**
 * Decodes unpacked IDX bytes.
 *
 * @param name of the file, for errors
 * @throws UserError if the bytes are malformed or of another rank
 */
export function parseIdx(bytes: Uint8Array, name: string, rank?: number): Idx {
  const fail = (what: string): never => {
    throw new UserError(`${name} is not a usable IDX file: ${what}.`);
  };
  if (bytes.length === 0) fail('it is empty');
  if (bytes.length < 4) fail(`it has ${bytes.length} bytes, fewer than its header`);
  const [zero0, zero1, type = 0, found = 0] = bytes;
  if (zero0 !== 0 || zero1 !== 0 || !(type in TYPES)) {
    fail(`expected it to begin with the bytes 00 00 08, found ${hex(bytes.subarray(0, 3))}`);
  }
  if (type !== UINT8) fail(`expected values of type uint8, found ${TYPES[type]}`);
  if (found === 0 || (rank !== undefined && found !== rank)) {
    fail(`expected ${rank ?? 'at least 1'} dimension(s), found ${found}`);
  }

  const header = 4 + 4 * found;
  if (bytes.length < header)
    fail(`it has ${bytes.length} bytes, fewer than its header's ${header}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: found }, (_, axis) => view.getUint32(4 + 4 * axis));
  if (shape.includes(0)) fail(`it holds no values (its dimensions are ${shape.join(' × ')})`);

  const expected = product(shape);
  const length = bytes.length - header;
  if (length !== expected) {
    fail(
      `it is ${length < expected ? 'cut short' : 'too long'}: expected ` +
        `${shape.join(' × ')} = ${expected} values, found ${length}`,
    );
  }
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + header, length) };
}

const hex = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
