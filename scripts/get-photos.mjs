/**
 * `npm run photos -- FOLDER`: gets photographs of nature from the Debian package mate-backgrounds, under
 * the GPL 2 or later, and cuts them into squares of 256 pixels: FOLDER/normal to train and calibrate a
 * detector with, FOLDER/test from other parts of the same photographs. FOLDER/LICENSE.txt says whose they are.
 *
 * What comes is checked by its hash, and the folder is there as a whole or not at all. It needs `tar` with xz.
 */
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { debianPackage } from './debian-package.mjs';
import { newFolder } from './new-folder.mjs';

const URL =
  'https://deb.debian.org/debian/pool/main/m/mate-backgrounds/mate-backgrounds_1.26.0-1_all.deb';
const SHA256 = '7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04';
/** Photographs without a blurred background, which would hide what is blurred. */
const PHOTOS = ['Dune', 'Garden', 'RainDrops', 'Storm', 'TwoWings', 'Wood'];
const SQUARE = 256;
/** Every fourth column of squares is to test with. */
const isTest = (column) => column % 4 === 3;

await newFolder('photos', 'photographs', async (into, scratch, folder) => {
  console.log('Getting mate-backgrounds 1.26.0-1 (45 MiB) …');
  const { normal, test } = await cut(await debianPackage(URL, SHA256, scratch), into);
  return `${normal} squares are in ${folder}/normal, ${test} in ${folder}/test.`;
});

/** Cuts the photographs into squares, from the left. */
async function cut(share, into) {
  const counts = { normal: 0, test: 0 };
  for (const part of Object.keys(counts)) mkdirSync(join(into, part), { recursive: true });
  for (const photo of PHOTOS) {
    const whole = sharp(join(share, 'backgrounds/mate/nature', `${photo}.jpg`));
    const { width, height } = await whole.metadata();
    for (let top = 0; top + SQUARE <= height; top += SQUARE) {
      for (let left = 0; left + SQUARE <= width; left += SQUARE) {
        const part = isTest(left / SQUARE) ? 'test' : 'normal';
        const square = { left, top, width: SQUARE, height: SQUARE };
        const file = `${photo}-${String(top / SQUARE)}-${String(left / SQUARE)}.png`;
        await whole
          .clone()
          .extract(square)
          .png()
          .toFile(join(into, part, file));
        counts[part]++;
      }
    }
  }
  const copyright = join(share, 'doc/mate-backgrounds/copyright');
  renameSync(copyright, join(into, 'LICENSE.txt'));
  return counts;
}
