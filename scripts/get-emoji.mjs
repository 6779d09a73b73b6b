/**
 * `npm run emoji -- FOLDER`: gets 3,786 pictures of 64 × 64 pixels, Google's Noto Emoji, in nine
 * folders by category, from the npm package emoji-datasource-google. Noto's pictures are under the
 * Apache License 2.0, the package is under the MIT licence; FOLDER/LICENSE.txt says so.
 *
 * What comes is checked by its hash, and the folder is there as a whole or not at all.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

const PACKAGE = 'emoji-datasource-google@16.0.0';
const SHA512 =
  'ZRexfzs7MVoLnmzZmNsO4TKhnAJp5D++Vm6PpUpH/jEQQlemp3l88CjZ+DoZ2faM9R4QxZkOPJCoT8DlPhfQ3A==';

/** The folder of each category; Unicode's few components (skin tones, hair) lie among the symbols. */
const CLASSES = {
  Activities: 'activities',
  'Animals & Nature': 'animals',
  Component: 'symbols',
  Flags: 'flags',
  'Food & Drink': 'food',
  Objects: 'objects',
  'People & Body': 'people',
  'Smileys & Emotion': 'smileys',
  Symbols: 'symbols',
  'Travel & Places': 'travel',
};

const LICENSE = `The pictures are Noto Emoji by Google (https://github.com/googlefonts/noto-emoji), under the
Apache License 2.0, as the npm package ${PACKAGE} ships them.
`;

const [folder, ...more] = process.argv.slice(2);
if (!folder || folder.startsWith('-') || more.length > 0) {
  console.error('Usage: npm run emoji -- FOLDER');
  process.exit(2);
}
if (existsSync(folder)) {
  console.error(`${folder} exists already: give the name of a new folder.`);
  process.exit(2);
}

const parent = dirname(resolve(folder));
mkdirSync(parent, { recursive: true });
const made = mkdtempSync(join(parent, `.${basename(folder)}-`));
try {
  console.log(`Getting ${PACKAGE} (71 MiB) …`);
  const count = sort(await download(), join(made, 'emoji'));
  renameSync(join(made, 'emoji'), folder);
  console.log(`${count} pictures are in ${folder}.`);
} catch (error) {
  console.error(`No emoji could be had: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(made, { recursive: true, force: true });
}

/** The package's folder, as npm gets it: from its cache or the user's registry. */
async function download() {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const options = ['pack', PACKAGE, '--silent', '--pack-destination', made];
  const name = execFileSync(npm, options, { encoding: 'utf8', shell: npm.endsWith('.cmd') }).trim();
  const bytes = await readFile(join(made, name));
  const found = createHash('sha512').update(bytes).digest('base64');
  if (found !== SHA512) throw new Error(`${name} is not the file it was: its SHA-512 is ${found}.`);
  const wanted = ['package/emoji.json', 'package/img/google/64'];
  execFileSync('tar', ['-xzf', name, ...wanted], { cwd: made });
  return join(made, 'package');
}

/** Puts each picture, in all skin tones, into the folder of its category. */
function sort(from, into) {
  let count = 0;
  for (const emoji of JSON.parse(readFileSync(join(from, 'emoji.json'), 'utf8'))) {
    const to = join(into, CLASSES[emoji.category]);
    mkdirSync(to, { recursive: true });
    for (const { image } of [emoji, ...Object.values(emoji.skin_variations ?? {})]) {
      const picture = join(from, 'img/google/64', image);
      if (!existsSync(picture)) continue;
      renameSync(picture, join(to, image));
      count++;
    }
  }
  writeFileSync(join(into, 'LICENSE.txt'), LICENSE);
  return count;
}
