/** NumPy's .npy files of float32, little-endian, in C order. */

import { UserError } from '../errors.js';
import { product } from '../shape.js';

/** An array of a .npy file: `data` is in row-major (C) order. */
export interface NpyArray {
  shape: number[];
  data: Float32Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The bytes of a .npy file (format 1.0).
 *
 * @param data in row-major order, as many values as the product of `shape`
 * @throws RangeError if there are more or fewer
 */
export function writeNpy(data: Float32Array, shape: readonly number[]): Uint8Array {
  if (product(shape) !== data.length) {
    throw new RangeError(`${data.length} values do not have the shape [${shape}]`);
  }
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dimensions}), }`;
  // The values must start at a multiple of 64 bytes, after spaces and a line feed.
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + 4 * data.length).fill(0x20, 0, start);
  bytes.set([...MAGIC, 1, 0, (start - 10) & 255, (start - 10) >> 8]);
  new TextEncoder().encodeInto(text, bytes.subarray(10));
  bytes[start - 1] = 0x0a;
  copyFloats(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), bytes.subarray(start));
  return bytes;
}

/**
 * Reads a .npy file of float32.
 *
 * @param label what to call the file in an error
 * @throws UserError if it is cut short or contains something else
 */
export function readNpy(bytes: Uint8Array, label = 'The array'): NpyArray {
  const wrong = (what: string) => new UserError(`${label} ${what}.`);
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw wrong('is not a .npy file');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [before, length] =
    bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const start = before + length;
  if (start > bytes.length || length > 65_535) throw wrong('is cut short');
  const header = new TextDecoder('latin1').decode(bytes.subarray(before, start));
  const find = (pattern: RegExp) => pattern.exec(header)?.[1];
  const descr = find(/'descr':\s*'([^']*)'/);
  const order = find(/'fortran_order':\s*(True|False)/);
  const dimensions = find(/'shape':\s*\(([\d,\s]*)\)/);
  if (descr === undefined || order === undefined || dimensions === undefined) {
    throw wrong('has a header without a valid type, order and shape');
  }
  if (descr !== '<f4' || order === 'True') {
    const type = order === 'True' ? `${descr} in Fortran order` : descr;
    throw wrong(
      `contains ${type}, but '<f4' in C order is needed: ` +
        "save numpy.ascontiguousarray(a, dtype='<f4')",
    );
  }
  const shape = dimensions.split(',').flatMap((size) => (size.trim() ? [Number(size)] : []));
  const size = product(shape);
  if (start + 4 * size !== bytes.length) {
    throw wrong(`is cut short or too long for its shape [${shape}]`);
  }
  const data = new Float32Array(size);
  copyFloats(bytes.subarray(start), new Uint8Array(data.buffer));
  return { shape, data };
}

/** Copies between this machine's byte order and the file's, which is little-endian. */
function copyFloats(from: Uint8Array, to: Uint8Array): void {
  to.set(from);
  if (littleEndian) return;
  for (let at = 0; at < to.length; at += 4) to.subarray(at, at + 4).reverse();
}
