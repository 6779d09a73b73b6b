import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { UserError } from '../src/errors.js';
import { readNpy, writeNpy } from '../src/format/npy.js';

const data = Float32Array.from({ length: 24 }, (_, i) => (i - 7) / 3);

describe('.npy', () => {
  it.each([[[24]], [[4, 6]], [[2, 3, 4, 1]], [[24, 1]]])('comes back in the shape %j', (shape) => {
    const bytes = writeNpy(data, shape);
    expect((bytes.length - 4 * 24) % 64).toBe(0);
    expect(readNpy(bytes)).toEqual({ shape, data });
  });

  it('holds nothing, one value, or part of a larger array', () => {
    expect(readNpy(writeNpy(new Float32Array(0), [0, 5]))).toEqual({
      shape: [0, 5],
      data: new Float32Array(0),
    });
    expect(readNpy(writeNpy(Float32Array.of(2.5), []))).toEqual({
      shape: [],
      data: Float32Array.of(2.5),
    });
    expect(readNpy(writeNpy(data.subarray(3, 5), [2]))).toEqual({
      shape: [2],
      data: data.slice(3, 5),
    });
    // Bytes at an odd offset of their buffer, as a stream may hand them over.
    const odd = new Uint8Array(1 + writeNpy(data, [24]).length).subarray(1);
    odd.set(writeNpy(data, [24]));
    expect(readNpy(odd).data).toEqual(data);
  });

  // Byte for byte what numpy.save(f, numpy.arange(3, dtype='<f4')) writes (NumPy 2.4).
  it('is what NumPy writes', () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
    const expected = Buffer.concat([
      Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 0x76, 0]),
      Buffer.from(`${header.padEnd(117)}\n`),
      Buffer.from([0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]),
    ]);
    expect(Buffer.from(writeNpy(Float32Array.of(0, 1, 2), [3]))).toEqual(expected);
  });

  it.runIf(spawnSync('python3', ['-c', 'import numpy']).status === 0)('is read by NumPy', () => {
    const program =
      'import sys, io, numpy\n' +
      'a = numpy.load(io.BytesIO(sys.stdin.buffer.read())); print(a.dtype, a.shape, a.sum())';
    const answer = execFileSync('python3', ['-c', program], { input: writeNpy(data, [4, 6]) });
    expect(answer.toString().trim()).toBe('float32 (4, 6) 36.0');
  });

  const whole = writeNpy(data, [4, 6]);
  const edited = (from: string, to: string) =>
    Uint8Array.from(Buffer.from(Buffer.from(whole).toString('latin1').replace(from, to), 'latin1'));
  it.each([
    ['nothing', new Uint8Array(0), /is not a \.npy file/],
    ['a PNG', Uint8Array.of(0x89, 0x50, ...new Array(20).fill(0)), /is not a \.npy file/],
    ['cut in its header', whole.slice(0, 50), /is cut short/],
    ['cut in its values', whole.slice(0, -1), /cut short or too long/],
    ['too long', Uint8Array.of(...whole, 0), /cut short or too long/],
    ['big-endian', edited('<f4', '>f4'), /holds >f4, .*save numpy/],
    ['of doubles', edited('<f4', '<f8'), /holds <f8, .*save numpy/],
    ['in Fortran order', edited('False', 'True '), /Fortran order/],
    ['of a huge shape', edited('(4, 6)', '(99999999999, 6)'), /cut short or too long/],
    ['without a shape', edited('shape', 'sharp'), /header/],
  ])('that is %s is refused', (_, bytes, reason) => {
    expect(() => readNpy(bytes, 'z.npy')).toThrow(UserError);
    expect(() => readNpy(bytes, 'z.npy')).toThrow(reason);
  });

  it('is not written in a shape that does not fit', () => {
    expect(() => writeNpy(data, [5, 5])).toThrow(RangeError);
  });
});
