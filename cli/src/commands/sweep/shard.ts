/** Which part of a sweep this process has. */
import { UserError } from '@gpn/runtime';
import type { Shard } from '../../options/declare/parsers.js';

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

/** The rows of a part: every n-th, so that long and short settings are mixed. */
export const rowsOfPart = <T>(rows: readonly T[], part: Part | undefined): T[] =>
  rows.filter((_, k) => !part || k % part.count === part.index);
