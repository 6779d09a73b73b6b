/**
 * `npm run textures -- FOLDER`: gets textures in colour (stone, metal, wood, brick, earth …) from the Debian
 * package openarena-081-textures, under the GPL 2 or later, and cuts them into squares of 128 pixels:
 * FOLDER/normal/train to train a detector with, FOLDER/normal/val to calibrate it with, and FOLDER/test.
 * FOLDER/LICENSE.txt says whose they are.
 *
 * A texture has detail everywhere: pictures that have a flat place are left out, because in one nobody sees
 * what is blurred. Some textures are others in another colour, or have parts of them; such relatives all
 * go into one part, so that no texture is in two.
 *
 * What comes is checked by its hash, and the folder is there as a whole or not at all. It needs `tar` with xz.
 */
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import sharp from 'sharp';
import { debianPackage } from './debian-package.mjs';
import { newFolder } from './new-folder.mjs';

const URL =
  'https://deb.debian.org/debian/pool/main/o/openarena-textures/openarena-081-textures_0.8.5split-14_all.deb';
const SHA256 = '72bf05abd5286a1523b56ca04e25bceb775813d747f92ecd20749d512361a81f';
const SQUARE = 128;
/** The least side of a texture, and the side of the places that must all have detail. */
const [LEAST, PLACE] = [256, 32];
/** Root mean square of the differences of grey levels from their neighbours' mean, in a place with detail. */
const DETAIL = 4;
/** Side of the pictures that relatives are known by, and the correlation from which on they are. */
const [SMALL, ALIKE] = [32, 0.5];
/** Larger families are trained with: they would be most of what is tested. */
const FAMILY = 4;
const PARTS = ['normal/train', 'normal/train', 'normal/val', 'test'];

await newFolder('textures', 'textures', async (into, scratch, folder) => {
  console.log('Getting openarena-081-textures 0.8.5split-14 (94 MB) …');
  const share = await debianPackage(URL, SHA256, scratch);
  const textures = await texturesIn(join(share, 'games/openarena/baseoa/pak4-textures.pk3'));
  const counts = await write(textures, into);
  const copyright = join(share, 'doc/openarena-081-textures/copyright');
  renameSync(copyright, join(into, 'LICENSE.txt'));
  const said = Object.entries(counts).map(
    ([part, { textures, squares }]) =>
      `${squares} squares of ${textures} textures in ${folder}/${part}`,
  );
  return `${said.join(', ')}.`;
});

/** The pictures that are textures, by name. */
async function texturesIn(archive) {
  const files = unzipSync(readFileSync(archive), {
    filter: ({ name }) => /^textures\/.+\.jpg$/.test(name),
  });
  const found = [];
  for (const name of Object.keys(files).sort()) {
    const grey = await greyOf(sharp(files[name]));
    if (Math.min(grey.width, grey.height) < LEAST || leastDetail(grey) < DETAIL) continue;
    const small = { left: 0, top: 0, width: LEAST, height: LEAST };
    const thumbnail = await greyOf(sharp(files[name]).extract(small).resize(SMALL, SMALL));
    found.push({ name: name.slice('textures/'.length), bytes: files[name], thumbnail, ...grey });
  }
  return found;
}

async function greyOf(picture) {
  const { data, info } = await picture.greyscale().raw().toBuffer({ resolveWithObject: true });
  return { levels: data, width: info.width, height: info.height };
}

/** How far each pixel of a picture is from the mean of its four neighbours; the picture wraps round. */
function differences({ levels, width, height }) {
  return Float64Array.from(levels, (level, k) => {
    const [y, x] = [Math.floor(k / width), k % width];
    const at = (row, column) =>
      levels[((row + height) % height) * width + ((column + width) % width)];
    return level - (at(y - 1, x) + at(y + 1, x) + at(y, x - 1) + at(y, x + 1)) / 4;
  });
}

/** The detail of the place with least. */
function leastDetail(picture) {
  const { width, height } = picture;
  const different = differences(picture);
  let least = Number.POSITIVE_INFINITY;
  for (let top = 0; top + PLACE <= height; top += PLACE) {
    for (let left = 0; left + PLACE <= width; left += PLACE) {
      let sum = 0;
      for (let k = 0; k < PLACE ** 2; k++) {
        sum += different[(top + Math.floor(k / PLACE)) * width + left + (k % PLACE)] ** 2;
      }
      least = Math.min(least, Math.sqrt(sum) / PLACE);
    }
  }
  return least;
}

/** Textures in families of relatives, each in the order of names. */
function families(textures) {
  const shapes = textures.map(({ thumbnail }) => {
    const shape = differences(thumbnail); // these sum to 0, because the picture wraps round
    const length = Math.hypot(...shape) || 1;
    return shape.map((value) => value / length);
  });
  const found = [];
  textures.forEach((texture, k) => {
    const isAlike = ({ shape }) =>
      Math.abs(shape.reduce((sum, value, i) => sum + value * shapes[k][i], 0)) > ALIKE;
    const own = found.filter((family) => family.some(isAlike));
    const joined = [...own.flat(), { ...texture, shape: shapes[k] }];
    for (const family of own) found.splice(found.indexOf(family), 1);
    found.push(joined);
  });
  return found;
}

/** Writes each family's squares into one part. */
async function write(textures, into) {
  const counts = Object.fromEntries(PARTS.map((part) => [part, { textures: 0, squares: 0 }]));
  let small = 0;
  for (const family of families(textures)) {
    const part = family.length > FAMILY ? PARTS[0] : PARTS[small++ % PARTS.length];
    mkdirSync(join(into, part), { recursive: true });
    for (const { name, bytes, width, height } of family) {
      counts[part].textures++;
      for (let top = 0; top + SQUARE <= height; top += SQUARE) {
        for (let left = 0; left + SQUARE <= width; left += SQUARE) {
          const file = `${name.replace(/\.jpg$/, '').replaceAll('/', '-')}-${top}-${left}.png`;
          const square = { left, top, width: SQUARE, height: SQUARE };
          await sharp(bytes)
            .extract(square)
            .png()
            .toFile(join(into, part, file));
          counts[part].squares++;
        }
      }
    }
  }
  return counts;
}
