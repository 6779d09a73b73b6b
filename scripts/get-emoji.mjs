/**
 * `npm run emoji -- FOLDER`: gets 3,786 pictures of 64 × 64 pixels, Google's Noto Emoji, in nine
 * folders by category, from the npm package emoji-datasource-google. Noto's pictures are under the
 * Apache License 2.0, the package is under the MIT licence; FOLDER/LICENSE.txt says so.
 *
 * What comes is checked by its hash, and the folder is there as a whole or not at all.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newFolder } from './new-folder.mjs';

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

await newFolder('emoji', 'emoji', async (into, scratch, folder) => {
  console.log(`Getting ${PACKAGE} (71 MiB) …`);
  return `${sort(await download(scratch), into)} pictures are in ${folder}.`;
});

/** The package's folder, as npm gets it: from its cache or the user's registry. */
async function download(scratch) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const options = ['pack', PACKAGE, '--silent', '--pack-destination', scratch];
  const name = execFileSync(npm, options, { encoding: 'utf8', shell: npm.endsWith('.cmd') }).trim();
  const bytes = await readFile(join(scratch, name));
  const found = createHash('sha512').update(bytes).digest('base64');
  if (found !== SHA512) throw new Error(`${name} is not the file it was: its SHA-512 is ${found}.`);
  const wanted = ['package/emoji.json', 'package/img/google/64'];
  execFileSync('tar', ['-xzf', name, ...wanted], { cwd: scratch });
  return join(scratch, 'package');
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
