/**
 * Parts of a whole: of the runs of a sweep, of the shards of bulk work. Which is which depends on nothing
 * but the numbers, so parts need nothing of one another, and joined they are what one process makes.
 */
import { UserError } from '@gpn/runtime';
import type { Shard } from '../options/declare/parsers.js';

/** A part, and where its number is from. */
export interface Part {
  readonly index: number;
  readonly count: number;
  readonly from: string;
}

const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

/**
 * The part that is asked for, by option or by the variables of a Slurm array or of a Kubernetes job with
 * indices; undefined for all.
 *
 * @throws UserError if the number of the part is missing or too large
 */
export function partOf(
  shard: Shard | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Part | undefined {
  const completion = number(env.JOB_COMPLETION_INDEX);
  const task = number(env.SLURM_ARRAY_TASK_ID);
  const tasks = number(env.SLURM_ARRAY_TASK_COUNT);
  const first = number(env.SLURM_ARRAY_TASK_MIN) ?? 0;
  const places = [
    { index: shard?.index, from: '--shard' },
    { index: completion, from: 'JOB_COMPLETION_INDEX' },
    { index: task === undefined ? undefined : task - first, from: 'SLURM_ARRAY_TASK_ID' },
  ];
  const place = places.find(({ index }) => index !== undefined);
  // A Kubernetes job does not tell its pods how many they are.
  const count = shard?.count ?? (completion === undefined ? tasks : undefined);
  if (count === undefined) {
    if (completion === undefined) return undefined;
    throw new UserError(
      'JOB_COMPLETION_INDEX is set, but not of how many: give --shard N with the number of completions.',
    );
  }
  if (place?.index === undefined) {
    throw new UserError(
      `--shard ${count} needs JOB_COMPLETION_INDEX or SLURM_ARRAY_TASK_ID; give --shard I/${count} otherwise.`,
    );
  }
  if (!(place.index >= 0 && place.index < count)) {
    throw new UserError(`${place.from} is ${place.index}, but the parts are 0 to ${count - 1}.`);
  }
  return { index: place.index, count, from: place.from };
}

/** What a part has of a whole: every n-th, so that what takes long and what does not are mixed. */
export const ofPart = <T>(all: readonly T[], part: Part | undefined): T[] =>
  all.filter((_, k) => !part || k % part.count === part.index);

/** How many names of missing ones a sentence has. */
const NAMED = 10;

/**
 * Checks that what was found in folders is the whole: nothing missing, nothing twice.
 *
 * @param expected the names of all
 * @param found the folders and the names that are in each
 * @param what one is, such as `run`
 * @returns the folder of each name
 * @throws UserError that names what is missing or there twice
 */
export function eachOnce(
  expected: readonly string[],
  found: readonly (readonly [folder: string, names: readonly string[]])[],
  what: string,
): Map<string, string> {
  const from = new Map<string, string>();
  for (const [folder, names] of found) {
    for (const name of names) {
      const before = from.get(name);
      if (before !== undefined) {
        throw new UserError(`${name} is there twice, in ${before} and in ${folder}.`);
      }
      from.set(name, folder);
    }
  }
  const missing = expected.filter((name) => !from.has(name));
  if (missing.length === 0) return from;
  const few = missing.slice(0, NAMED).join(', ');
  const rest = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : '';
  throw new UserError(
    `${missing.length} of ${expected.length} ${what}s are missing: ${few}${rest}; give the folders of all parts.`,
  );
}
