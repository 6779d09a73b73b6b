import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { UserError } from '../src/errors.js';
import { readNpy, writeNpy } from '../src/format/npy.js';

const data = Float32Array.from({ length: 24 }, (_, i) => (i - 7) / 3);

describe('a .npy file', () => {
  it.each([[[24]], [[4, 6]], [[2, 3, 4, 1]], [[24, 1]]])(
    'is read as it was written in the shape %j',
    (shape) => {
      const bytes = writeNpy(data, shape);
      expect((bytes.length - 4 * 24) % 64).toBe(0);
      expect(readNpy(bytes)).toEqual({ shape, data });
    },
  );

  it('can contain no value, one value, or part of a larger array', () => {
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
  it('has the bytes that NumPy writes', () => {
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
    ['no bytes', new Uint8Array(0), /is not a \.npy file/],
    ['a PNG', Uint8Array.of(0x89, 0x50, ...new Array(20).fill(0)), /is not a \.npy file/],
    ['one cut in its header', whole.slice(0, 50), /is cut short/],
    ['one cut in its values', whole.slice(0, -1), /cut short or too long/],
    ['one that is too long', Uint8Array.of(...whole, 0), /cut short or too long/],
    ['big-endian values', edited('<f4', '>f4'), /contains >f4, .*save numpy/],
    ['doubles', edited('<f4', '<f8'), /contains <f8, .*save numpy/],
    ['values in Fortran order', edited('False', 'True '), /Fortran order/],
    ['a huge shape', edited('(4, 6)', '(99999999999, 6)'), /cut short or too long/],
    ['a header without a shape', edited('shape', 'sharp'), /header/],
  ])('is refused: %s', (_, bytes, reason) => {
    expect(() => readNpy(bytes, 'z.npy')).toThrow(UserError);
    expect(() => readNpy(bytes, 'z.npy')).toThrow(reason);
  });

  it('is not written in a shape that does not fit the values', () => {
    expect(() => writeNpy(data, [5, 5])).toThrow(RangeError);
  });
});
