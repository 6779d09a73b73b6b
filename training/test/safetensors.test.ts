import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { describe, expect, test } from 'vitest';
import {
  decodeSafetensors,
  encodeSafetensors,
  type StoredTensor,
} from '../src/files/safetensors.js';
import { readSafetensors } from '../src/files/safetensors-file.js';
import { temporaryFolder } from './temp-folder.js';

// What the reference implementation (Python's safetensors 0.8.0, numpy 2.4.6) writes:
//   import numpy as np, safetensors.numpy as st
//   st.save({'b': np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
//            'a': np.array([True, False, True]), 'c': np.array(7, dtype=np.int64),
//            'd': np.array([1, -2], dtype=np.int32), 'e': np.array([1, 2, 255], dtype=np.uint8),
//            'empty': np.zeros((0, 4), np.float32)}, metadata={'step': '60'}).hex()
const GOLDEN = Buffer.concat([
  Buffer.from('7001000000000000', 'hex'),
  Buffer.from(
    '{"__metadata__":{"step":"60"},' +
      '"c":{"dtype":"I64","shape":[],"data_offsets":[0,8]},' +
      '"b":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},' +
      '"empty":{"dtype":"F32","shape":[0,4],"data_offsets":[32,32]},' +
      '"d":{"dtype":"I32","shape":[2],"data_offsets":[32,40]},' +
      '"e":{"dtype":"U8","shape":[3],"data_offsets":[40,43]},' +
      '"a":{"dtype":"BOOL","shape":[3],"data_offsets":[43,46]}}    ',
  ),
  Buffer.from(
    '0700000000000000' +
      '000000000000803e0000003f0000403f0000803f0000a03f' +
      '01000000feffffff0102ff010001',
    'hex',
  ),
]);

const TENSORS: [string, StoredTensor][] = [
  ['a', { dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ['b', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25) }],
  ['c', { dtype: 'I64', shape: [], data: BigInt64Array.of(7n) }],
  ['d', { dtype: 'I32', shape: [2], data: Int32Array.of(1, -2) }],
  ['e', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ['empty', { dtype: 'F32', shape: [0, 4], data: new Float32Array() }],
];

const dir = await temporaryFolder();

test("the safetensors writer writes the reference implementation's bytes, in whatever order tensors come", () => {
  const metadata = { step: '60' };
  expect(Buffer.from(encodeSafetensors(new Map(TENSORS), metadata))).toEqual(GOLDEN);
  expect(Buffer.from(encodeSafetensors(new Map(TENSORS.toReversed()), metadata))).toEqual(GOLDEN);
});

test("the safetensors reader reads the reference implementation's file", async () => {
  const path = join(dir, 'golden.safetensors');
  await writeFile(path, GOLDEN);
  const { tensors, metadata } = await readSafetensors(path);
  expect(new Map([...tensors].sort())).toEqual(new Map(TENSORS));
  expect(metadata).toEqual({ step: '60' });
});

test('safetensors keep every bit and any name', () => {
  const bits = Uint32Array.of(0x7fc00001, 0xff800000, 0x80000000, 0x00000001); // NaN, -∞, -0, tiny
  const data = new Float32Array(bits.buffer);
  const names = ['10', '9', '__proto__', 'g/dense.0/weight "q"\\', 'ü', '😀', '\u{ffee}', ''];
  const tensors = new Map(
    names.map((name): [string, StoredTensor] => [name, { dtype: 'F32', shape: [4], data }]),
  );
  const metadata = { 'a b': '{"k": 1}', '2': 'two', '1': '' };
  const read = decodeSafetensors(encodeSafetensors(tensors, metadata), 'x');
  expect([...read.tensors.keys()].sort()).toEqual([...names].sort());
  for (const tensor of read.tensors.values()) {
    expect([...new Uint32Array(tensor.data.buffer)]).toEqual([...bits]);
  }
  expect(read.metadata).toEqual(metadata);
});

test('safetensors may hold no tensors at all', () => {
  const bytes = encodeSafetensors(new Map());
  expect(Buffer.from(bytes)).toEqual(Buffer.from('\x08\0\0\0\0\0\0\0{}      '));
  expect(decodeSafetensors(bytes, 'x')).toEqual({ tensors: new Map(), metadata: {} });
});

test('the safetensors writer writes only the part of a buffer that a view shows', () => {
  const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
  const bytes = encodeSafetensors(new Map([['v', { dtype: 'F32', shape: [2], data }]]));
  expect([...(decodeSafetensors(bytes, 'x').tensors.get('v')?.data ?? [])]).toEqual([2, 3]);
});

test('the safetensors writer refuses values that do not fill their shape', () => {
  const data = new Float32Array(3);
  expect(() => encodeSafetensors(new Map([['v', { dtype: 'F32', shape: [2], data }]]))).toThrow(
    'Tensor v of shape [2] with 3 values',
  );
});

describe('the safetensors reader refuses a file that lies:', () => {
  const file = (header: unknown, body = 8, value = 0) => {
    const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const bytes = Buffer.alloc(8 + json.length + body, value);
    bytes.writeBigUInt64LE(BigInt(json.length));
    bytes.set(json, 8);
    return bytes;
  };
  const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
    dtype: 'F32',
    shape,
    data_offsets: [begin, end],
  });
  const twice = (a: string, b: string) =>
    `{${a}:${JSON.stringify(f32(0, 8))},${b}:${JSON.stringify(f32(0, 8))}}`;

  test('but it reads one that does not lie', () => {
    expect(decodeSafetensors(file({ b: f32(4, 8), a: f32(0, 4) }), 'x').tensors.size).toBe(2);
  });

  test.each<[string, Buffer, string]>([
    ['no length', Buffer.alloc(7), 'it has 7 bytes, at least 8 are expected'],
    [
      'length 2^64 - 1',
      Buffer.alloc(16, 0xff),
      'its header should have 18446744073709552000 bytes',
    ],
    ['cut header', file({ a: f32(0, 8) }).subarray(0, 20), 'the whole file has 20'],
    ['not JSON', file('{"a": '), 'its header is not JSON'],
    ['NaN', file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[NaN,8]}}'), 'is not JSON'],
    ['not UTF-8', file('{"\xff": 1}').map((v) => (v === 0xc3 ? 0xff : v)) as Buffer, 'is not JSON'],
    ['an array', file('[]'), 'its header is not a JSON object'],
    ['null', file('null'), 'its header is not a JSON object'],
    ['numbers in the metadata', file({ __metadata__: { step: 1 } }, 0), '__metadata__ is not'],
    [
      'unknown dtype',
      file({ a: { ...f32(0, 8), dtype: 'F16' } }),
      'its entry of a is wrong (dtype',
    ],
    ['unknown key', file({ a: { ...f32(0, 8), more: 1 } }), 'its entry of a is wrong ('],
    ['no shape', file({ a: { dtype: 'F32', data_offsets: [0, 8] } }), 'entry of a is wrong (shape'],
    ['negative size', file({ a: f32(0, 8, [-2, -1]) }), 'its entry of a is wrong (shape: 0'],
    ['broken offset', file({ a: f32(0.5, 8, [2]) }), 'its entry of a is wrong (data_offsets: 0'],
    ['infinite', file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,1e999]}}'), 'offsets: 1'],
    ['negative offset', file({ a: f32(-8, 0, [2]) }), 'its entry of a is wrong (data_offsets: 0'],
    ['reversed offsets', file({ a: f32(8, 0, [2]) }), 'the bytes before those of a belong to no'],
    ['beyond the end', file({ a: f32(0, 12) }), 'it ends before the bytes of a do'],
    ['wrong size', file({ a: f32(0, 8, [3]) }), 'a has 8 bytes, its shape [3] needs 12'],
    ['huge size', file({ a: f32(0, 8, [2 ** 52, 2 ** 52]) }), 'needs 8.11'],
    ['overlap', file({ a: f32(0, 8), b: f32(4, 8) }), 'the bytes of b overlap those of another'],
    ['same bytes', file({ a: f32(0, 8), b: f32(0, 8) }), 'the bytes of b overlap'],
    ['hole', file({ a: f32(0, 4), b: f32(8, 12) }, 12), 'the bytes before those of b belong to no'],
    ['hole in front', file({ a: f32(4, 8) }), 'the bytes before those of a belong to no tensor'],
    ['rest', file({ a: f32(0, 4) }), 'its last 4 bytes belong to no tensor'],
    ['duplicate', file(twice('"a"', '"a"')), 'its header has the key a twice'],
    ['disguised duplicate', file(twice('"a"', '"\\u0061" ')), 'its header has the key a twice'],
    ['duplicate inside', file('{"a":{"dtype":"F32","dtype":"F32"}}'), 'the key dtype twice'],
    ['no boolean', file({ a: { dtype: 'BOOL', shape: [8], data_offsets: [0, 8] } }, 8, 2), 'BOOL'],
  ])('%s', (_, bytes, problem) => {
    let error: unknown;
    try {
      decodeSafetensors(bytes, 'my.safetensors');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message.startsWith('my.safetensors is not a usable safetensors file: ')).toBe(true);
    expect(message).toContain(problem);
    expect(message).not.toContain('\n');
  });

  test('one that is missing', async () => {
    const path = join(dir, 'none');
    await expect(readSafetensors(path)).rejects.toThrow(
      new UserError(`Cannot read ${path}: no such file or folder.`),
    );
  });
});
