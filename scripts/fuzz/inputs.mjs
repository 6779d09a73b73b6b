/** The inputs of a seed, and the corpus, which keeps those that failed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { changedBytes, changedJson, changedLines, random } from './mutate.mjs';
import { READERS } from './readers.mjs';

export { scratch } from './readers.mjs';

const NAMES = Object.keys(READERS);

/** Input `index` of a seed: always the same bytes for the same reader. */
export function inputOf(seed, index) {
  const name = NAMES[index % NAMES.length];
  const { seeds, json, lines } = READERS[name];
  const below = random(seed ^ Math.imul(index + 1, 0x27d4eb2f));
  for (let k = 0; k < 4; k++) below(2);
  const bytes = seeds[below(seeds.length)];
  if (json && below(3)) return [name, Buffer.from(JSON.stringify(changedJson(json(bytes), below)))];
  if (lines && below(3)) return [name, Buffer.from(changedLines(bytes.toString(), below))];
  return [name, changedBytes(bytes, below)];
}

/** Writes inputs of a seed into a corpus. A file's name begins with its reader. */
export function keep(corpus, seed, indices) {
  for (const index of indices) {
    const [name, bytes] = inputOf(seed, index);
    writeFileSync(join(corpus, `${name.replaceAll(' ', '_')}--${seed}-${index}`), bytes);
  }
}
