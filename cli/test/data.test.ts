// `data` of the built command.
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gpn, listing, scratchFolder } from '../../test/cli.js';

const folder = scratchFolder();
const at = (name: string) => join(folder, name);
const run = (...args: string[]) => gpn(folder, 'data', ...args);
const write = (name: string, bytes: Uint8Array | string) => {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), bytes);
};
const plain = (width: number, height: number, background: object) =>
  sharp({
    create: { width, height, channels: 4, background: { r: 0, g: 0, b: 0, ...background } },
  });

beforeAll(async () => {
  write('set/train/cat/1.png', await plain(20, 10, { r: 255 }).removeAlpha().png().toBuffer());
  write('set/train/cat/2.png', await plain(20, 10, { r: 255 }).png().toBuffer());
  write('set/train/dog/1.png', await plain(8, 8, {}).toColourspace('rgb16').png().toBuffer());
  write('set/train/dog/bad.jpg', '');
  write('set/test/cat/3.png', await plain(8, 8, { g: 200, alpha: 0.5 }).png().toBuffer());
  write('set/train/dog/4.HEIC', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'));
  write('set/readme.txt', 'hello');
  symlinkSync('nowhere', at('set/train/cat/link.png'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('data says what is in a folder', () => {
  const { code, stdout, stderr } = run('set', '--sheet', 'sheet.png');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toBe(`set
  images            4 that can be read
  parts             train 3, test 1
  classes of train  2: cat 2, dog 1
  classes of test   1: cat 1
  formats           4 PNG
  modes             2 colour, 1 grey, 1 colour and transparent; 1 with 16 bits, of which 8 are used
  sizes             20 × 10 (2), 8 × 8 (2); the median of the shorter sides is 10
  duplicates        1: train/cat/1.png = train/cat/2.png
  unreadable        2: train/cat/link.png is a link to a file that does not exist, train/dog/bad.jpg is empty
  not read          1 HEIC (convert to JPEG or PNG, as with heif-convert or ImageMagick)
  others            1 files that are no pictures
Contact sheet: sheet.png
`);
});

test('data prints the same as JSON', () => {
  const { code, stdout } = run('set', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    count: 4,
    divided: true,
    modes: { colour: 2, grey: 1, 'colour and transparent': 1 },
    duplicates: [['train/cat/1.png', 'train/cat/2.png']],
    foreign: { HEIC: ['train/dog/4.HEIC'] },
  });
});

test('the contact sheet shows each picture completely, in the order of the folder', async () => {
  expect(run('set', '--sheet', 'sheet.png').code).toBe(0);
  const { data, info } = await sharp(readFileSync(at('sheet.png')))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([4 * 64 + 3 * 4, 64]);
  const pixel = (x: number, y: number) => [
    ...data.subarray((y * info.width + x) * 3).subarray(0, 3),
  ];
  expect(pixel(32, 32)).toEqual([255, 0, 0]); // 20 × 10: in the middle, on grey
  expect(pixel(32, 4)).toEqual([208, 208, 208]);
  expect(pixel(2 * 68 + 32, 4)).toEqual([0, 0, 0]); // 8 × 8: all of the square
  expect(pixel(3 * 68 + 32, 32)).toEqual([104, 204, 104]); // half transparent, on grey
});

test.each([
  [['none'], /Cannot read none: no such file or folder/],
  [['set', '--sheet', 'sheet.jpg'], /--sheet sheet\.jpg must end in \.png/],
  [
    ['set/train/dog/bad.jpg'],
    /Cannot read set\/train\/dog\/bad\.jpg: a part of the path is a file/,
  ],
])('data refuses %j', (args, message) => {
  const before = listing(folder);
  const { code, stdout, stderr } = run(...args);
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(message)]);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(listing(folder)).toEqual(before);
});
