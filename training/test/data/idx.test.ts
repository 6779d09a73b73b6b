import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { UserError } from '@gpn/runtime';
import { describe, expect, test } from 'vitest';
import { readIdx } from '../../src/data/format/idx.js';
import { temporaryFolder } from '../temp-folder.js';
import { idxFile, ramp } from './idx-file.js';

const dir = await temporaryFolder();

async function file(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, bytes);
  return path;
}

test('the IDX reader reads the golden bytes of a 2 × 3 matrix', async () => {
  // Spelled out by hand from the format's description.
  const bytes = Buffer.from('00000802 00000002 00000003 010203040506'.replaceAll(' ', ''), 'hex');
  const expected = { shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  expect(await readIdx(await file('plain', bytes))).toEqual(expected);
  // Packed, whatever the names say.
  expect(await readIdx(await file('packed', gzipSync(bytes)), 2)).toEqual(expected);
  expect(await readIdx(await file('plain.gz', bytes), 2)).toEqual(expected);
});

test('the IDX reader takes dimensions as big-endian', async () => {
  const { shape, data } = await readIdx(await file('big', idxFile([300, 2], ramp(600))));
  expect(shape).toEqual([300, 2]);
  expect(data).toEqual(ramp(600));
});

describe('the IDX reader refuses in one sentence', () => {
  const good = idxFile([2, 2, 2], ramp(8));
  const huge = idxFile([0xffffffff, 0xffffffff, 0xffffffff], []);
  test.each<[string, Uint8Array | string, string]>([
    ['empty', '', 'it is empty'],
    ['stub', good.subarray(0, 3), 'it has 3 bytes, fewer than its header'],
    ['header', good.subarray(0, 15), "it has 15 bytes, fewer than its header's 16"],
    ['text', '<html>', 'expected it to begin with the bytes 00 00 08, found 3c 68 74'],
    ['type', idxFile([1, 1, 1], [0], 0x07), 'begin with the bytes 00 00 08, found 00 00 07'],
    [
      'float',
      idxFile([1, 1, 1], [0, 0, 0, 0], 0x0d),
      'expected values of type uint8, found float32',
    ],
    ['rank', idxFile([8], ramp(8)), 'expected 3 dimension(s), found 1'],
    ['short', good.subarray(0, 23), 'it is cut short: expected 2 × 2 × 2 = 8 values, found 7'],
    ['long', idxFile([2, 2, 2], ramp(9)), 'it is too long: expected 2 × 2 × 2 = 8 values, found 9'],
    ['none', idxFile([0, 28, 28], []), 'it holds no values (its dimensions are 0 × 28 × 28)'],
    ['huge', huge, 'it is cut short'],
  ])('%s', async (name, bytes, problem) => {
    const path = await file(name, bytes);
    const error = await readIdx(path, 3).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message.startsWith(`${path} is not a usable IDX file: `)).toBe(true);
    expect(message).toContain(problem);
    expect(message).not.toContain('\n');
  });

  test('a broken gzip file', async () => {
    const packed = gzipSync(idxFile([2, 2, 2], ramp(8)));
    const cut = await file('cut.gz', packed.subarray(0, packed.length - 9));
    await expect(readIdx(cut)).rejects.toThrow(
      new UserError(`${cut} is a broken gzip file (unexpected end of file); download it again.`),
    );
    packed[packed.length - 5] = 0xaa; // the checksum
    const bent = await file('bent.gz', packed);
    await expect(readIdx(bent)).rejects.toThrow(
      new UserError(`${bent} is a broken gzip file (incorrect data check); download it again.`),
    );
  });

  test('a missing file and a folder', async () => {
    const missing = join(dir, 'missing');
    await expect(readIdx(missing)).rejects.toThrow(
      new UserError(`Cannot read ${missing}: no such file or folder.`),
    );
    await expect(readIdx(dir)).rejects.toThrow(
      new UserError(`Cannot read ${dir}: it is a folder.`),
    );
  });
});
