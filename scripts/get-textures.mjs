/**
 * `npm run textures -- FOLDER [--more]`: gets textures in colour (stone, metal, wood, brick, earth …) from the
 * Debian package openarena-081-textures, under the GPL 2 or later, and cuts them into squares of 128 pixels:
 * FOLDER/normal/train to train a detector with, FOLDER/normal/val to calibrate it with, and FOLDER/test.
 * With --more, textures of two more packages (792 MB) join those to train with. FOLDER/LICENSE.txt says whose
 * they are.
 *
 * A texture has detail everywhere: pictures that have a flat place are left out, because in one nobody sees
 * what is blurred. Some textures are others in another colour, or have parts of them; such relatives all
 * go into one part, so that no texture is in two. Of the further packages the first of relatives is taken, and none
 * that is related to one of the first package.
 *
 * What comes is checked by its hash, and the folder is there as a whole or not at all. It needs `tar` with xz.
 */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import sharp from 'sharp';
import { debianPackage } from './debian-package.mjs';
import { newFolder } from './new-folder.mjs';

const POOL = 'https://deb.debian.org/debian/pool/main';
/** The packages: what is tested with, and what is trained with besides. */
const [FIRST, ...MORE] = [
  {
    name: 'openarena-081-textures',
    version: '0.8.5split-14 (94 MB)',
    url: `${POOL}/o/openarena-textures/openarena-081-textures_0.8.5split-14_all.deb`,
    sha256: '72bf05abd5286a1523b56ca04e25bceb775813d747f92ecd20749d512361a81f',
    archive: 'games/openarena/baseoa/pak4-textures.pk3',
  },
  {
    name: 'nexuiz-textures',
    version: '2.5.2-12 (456 MB)',
    url: `${POOL}/n/nexuiz-data/nexuiz-textures_2.5.2-12_all.deb`,
    sha256: 'd1ebefbcc7c730f9b68c286f11d3430906c111a99e0c3ec60ad25a32de175510',
    archive: 'games/nexuiz/data/textures.pk3',
  },
  {
    name: 'ufoai-textures',
    version: '2.5-2 (336 MB)',
    url: `${POOL}/u/ufoai-maps/ufoai-textures_2.5-2_all.deb`,
    sha256: '51c9c6a778249a3fa432c81c8c30ac5675ae5a1e675a33b0ce04545753d3218c',
    archive: 'games/ufoai/base/0textures.pk3',
  },
];
/** What is no picture of a surface: maps of its slopes and gloss, and paintings. */
const OTHER = /_(bump|gloss|norm|glow|pants|shirt|nm|sm|gm|rm|local|reflect|luma)\.|\/tex_pics\//;
const SQUARE = 128;
/** Squares of a texture of the further packages: some are as large as all of others together. */
const MOST = 8;
/** The least side of a texture, and the side of the places that must all have detail. */
const [LEAST, PLACE] = [256, 32];
/** Root mean square of the differences of grey levels from their neighbours' mean, in a place with detail. */
const DETAIL = 4;
/** Side of the pictures that relatives are known by, and the correlation from which on they are. */
const [SMALL, ALIKE] = [32, 0.5];
/** Larger families are trained with: they would be most of what is tested. */
const FAMILY = 4;
const PARTS = ['normal/train', 'normal/train', 'normal/val', 'test'];

await newFolder('textures', 'textures', make, ['--more']);

async function make(into, scratch, folder, flags) {
  const first = await texturesOf(FIRST, into, scratch);
  const counts = await write(first.filter(isDetailed), into);
  if (flags.has('--more')) await writeMore(first, into, scratch, counts['normal/train']);
  const said = Object.entries(counts).map(
    ([part, { textures, squares }]) =>
      `${squares} squares of ${textures} textures in ${folder}/${part}`,
  );
  return `${said.join(', ')}.`;
}

/** Gets the textures of a package, and adds its licence to the folder. */
async function texturesOf({ name, version, url, sha256, archive }, into, scratch) {
  console.log(`Getting ${name} ${version} …`);
  const own = join(scratch, name);
  for (const path of [own, into]) mkdirSync(path, { recursive: true });
  const share = await debianPackage(url, sha256, own);
  const licence = readFileSync(join(share, 'doc', name, 'copyright'));
  appendFileSync(join(into, 'LICENSE.txt'), `${name} ${version}\n\n${licence}\n`);
  return await texturesIn(join(share, archive));
}

/** Adds squares of the further packages' textures to those to train with. */
async function writeMore(first, into, scratch, count) {
  const known = first.map(({ shape }) => shape);
  for (const more of MORE) {
    for (const texture of await texturesOf(more, into, scratch)) {
      if (!isDetailed(texture) || known.some((shape) => isAlike(shape, texture.shape))) continue;
      known.push(texture.shape);
      const name = `${more.name}-${texture.name}`;
      count.textures++;
      count.squares += await cut({ ...texture, name }, join(into, PARTS[0]), MOST);
    }
  }
}

/** The pictures of surfaces in an archive that are large enough, by name, and their shapes. */
async function texturesIn(archive) {
  const files = unzipSync(readFileSync(archive), {
    filter: ({ name }) => /^textures\/.+\.(jpg|png)$/i.test(name) && !OTHER.test(name),
  });
  const found = [];
  for (const name of Object.keys(files).sort()) {
    const bytes = files[name];
    const grey = await greyOf(sharp(bytes).removeAlpha());
    const { width, height } = grey;
    if (Math.min(width, height) < LEAST) continue;
    const { hasAlpha } = await sharp(bytes).metadata();
    if (hasAlpha && !(await sharp(bytes).stats()).isOpaque) continue;
    const small = { left: 0, top: 0, width: LEAST, height: LEAST };
    const corner = sharp(bytes).removeAlpha().extract(small).resize(SMALL, SMALL);
    const [shape, detail] = [shapeOf(await greyOf(corner)), leastDetail(grey)];
    found.push({ name: name.slice('textures/'.length), bytes, detail, shape, width, height });
  }
  return found;
}

function isDetailed({ detail }) {
  return detail >= DETAIL;
}

/** What relatives have alike: their differences, which sum to 0 because a texture wraps round, with length 1. */
function shapeOf(thumbnail) {
  const shape = differences(thumbnail);
  const length = Math.hypot(...shape) || 1;
  return shape.map((value) => value / length);
}

/** Whether two shapes are of relatives. */
function isAlike(a, b) {
  return Math.abs(a.reduce((sum, value, i) => sum + value * b[i], 0)) > ALIKE;
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
  const found = [];
  for (const texture of textures) {
    const own = found.filter((family) => family.some(({ shape }) => isAlike(shape, texture.shape)));
    const joined = [...own.flat(), texture];
    for (const family of own) found.splice(found.indexOf(family), 1);
    found.push(joined);
  }
  return found;
}

/** Writes each family's squares into one part. */
async function write(textures, into) {
  const counts = Object.fromEntries(PARTS.map((part) => [part, { textures: 0, squares: 0 }]));
  let small = 0;
  for (const family of families(textures)) {
    const part = family.length > FAMILY ? PARTS[0] : PARTS[small++ % PARTS.length];
    mkdirSync(join(into, part), { recursive: true });
    for (const texture of family) {
      counts[part].textures++;
      counts[part].squares += await cut(texture, join(into, part));
    }
  }
  return counts;
}

/** Writes the squares of a texture into a folder, or so many of them from all over it; gives their number. */
async function cut({ name, bytes, width, height }, folder, most = Number.POSITIVE_INFINITY) {
  const places = [];
  for (let top = 0; top + SQUARE <= height; top += SQUARE) {
    for (let left = 0; left + SQUARE <= width; left += SQUARE) places.push({ top, left });
  }
  const count = Math.min(most, places.length);
  for (let k = 0; k < count; k++) {
    const { top, left } = places[Math.floor((k * places.length) / count)];
    const file = `${name.replace(/\.\w+$/, '').replaceAll('/', '-')}-${top}-${left}.png`;
    const square = { left, top, width: SQUARE, height: SQUARE };
    await sharp(bytes).removeAlpha().extract(square).png().toFile(join(folder, file));
  }
  return count;
}
