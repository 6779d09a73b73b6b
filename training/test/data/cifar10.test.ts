import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../src/data/sets/dataset.js';
import { temporaryFolder } from '../temp-folder.js';
import { ramp } from './idx-file.js';

const dir = await temporaryFolder();
const SIZE = { height: 32, width: 32, channels: 3 };
const PLANE = 32 * 32;

type Files = Record<string, Uint8Array | string>;

async function folder(name: string, files: Files): Promise<string> {
  const path = join(dir, name);
  await mkdir(path);
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(path, file), bytes);
  return path;
}

/** Records with these labels; the pixels of image i count up from i, modulo 251. */
const records = (...labels: number[]): Uint8Array =>
  Uint8Array.from(labels.flatMap((label, i) => [label, ...ramp(3 * PLANE + i).slice(i)]));

/** Five files: the labels 0, 1 and 2, and so on. */
const train = (): Files =>
  Object.fromEntries(
    [0, 1, 2, 3, 4].map((i) => [`data_batch_${i + 1}.bin`, records(...(i === 1 ? [9, 8] : [i]))]),
  );

const problem = async (path: string, options = {}): Promise<string> => {
  const error = await loadDataset(path, { ...SIZE, ...options }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
};

describe('a folder of CIFAR-10’s files', () => {
  test('is read as the five training files in order, with red, green and blue side by side', async () => {
    const data = await loadDataset(await folder('train', { ...train(), 'readme.html': '' }), SIZE);
    expect(data).toMatchObject({ name: 'train', count: 6, ...SIZE });
    expect([...(data.labels ?? [])]).toEqual([0, 9, 8, 2, 3, 4]);
    expect(data.images.length).toBe(6 * 3 * PLANE);
    // The first and the second pixel of the third image, which is the second of its file.
    const third = 2 * 3 * PLANE;
    const at = (plane: number, pixel: number) => (1 + plane * PLANE + pixel) % 251;
    expect([...data.images.slice(third, third + 6)]).toEqual(
      [0, 1].flatMap((pixel) => [0, 1, 2].map((plane) => at(plane, pixel))),
    );
    // The last pixel of all: the format's description says blue, row 31, column 31.
    expect(data.images.at(-1)).toBe((3 * PLANE - 1) % 251);
    expect(data.classes?.slice(0, 2)).toEqual(['airplane', 'automobile']);
  });

  test('is read as the test set, with some of its classes, and names from batches.meta.txt', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
    const path = await folder('test', {
      'test_batch.bin': records(5, 6, 5),
      'batches.meta.txt': `${names.join('\r\n')}\r\n\r\n`,
    });
    const data = await loadDataset(path, { ...SIZE, split: 'test', classes: ['f'] });
    expect(data.classes).toEqual(names);
    expect([...(data.labels ?? [])]).toEqual([5, 5]);
    expect(data.images[0]).toBe(0);
    expect(data.images[3 * PLANE]).toBe(2);
  });

  test('says which file is missing', async () => {
    const { 'data_batch_4.bin': _, ...four } = train();
    const path = await folder('missing', four);
    expect(await problem(path)).toBe(
      `${path} has no file data_batch_4.bin, which is a part of CIFAR-10; add it.`,
    );
    expect(await problem(path, { split: 'test' })).toMatch(/has no file test_batch\.bin/);
  });

  const BROKEN: [string, Files, RegExp][] = [
    ['empty', { 'test_batch.bin': '' }, /expected 3073 bytes for each image .* found 0 bytes/],
    [
      'cut short',
      { 'test_batch.bin': records(1, 2).slice(0, -1) },
      /test_batch\.bin is not a usable CIFAR-10 file: .* found 6145 bytes; download it again\.$/,
    ],
    [
      'of a wrong label',
      { 'test_batch.bin': records(1, 10) },
      /test_batch\.bin: label 1 is 10, expected 0 to 9\.$/,
    ],
    [
      'a broken gzip file',
      { 'test_batch.bin': Uint8Array.of(0x1f, 0x8b, 8) },
      /is a broken gzip file/,
    ],
    [
      'of too few names',
      { 'test_batch.bin': records(1), 'batches.meta.txt': 'cat\ndog\n' },
      /batches\.meta\.txt must have 10 different names of classes, one a line, found 2;/,
    ],
    [
      'of a name twice',
      { 'test_batch.bin': records(1), 'batches.meta.txt': 'a\nb\nc\nd\ne\nf\ng\nh\ni\na\n' },
      /found 9;/,
    ],
  ];

  test.each(BROKEN)('%s', async (name, files, expected) => {
    expect(await problem(await folder(name, files), { split: 'test' })).toMatch(expected);
  });

  test('a folder by the name of a file, and another size', async () => {
    const path = await folder('strange', {});
    await mkdir(join(path, 'test_batch.bin'));
    expect(await problem(path, { split: 'test' })).toMatch(/test_batch\.bin: it is a folder\.$/);
    const whole = await folder('sized', { 'test_batch.bin': records(1) });
    expect(await problem(whole, { split: 'test', channels: 1 })).toMatch(
      /^The images of sized are 32 × 32 × 3/,
    );
  });
});
