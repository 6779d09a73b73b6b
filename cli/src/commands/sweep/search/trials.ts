/** The trials of a search, as files in its folder, and what is made of their runs. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { MEASURES, rowsOfSetting, type Search, type SweepRow, searchKey } from '@gpn/training';
import { ensureWritableFolder, writeFileAtomic } from '@gpn/training/atomic';
import type { Plan } from '../plan.js';
import { type Head, meanOf, type Outcome } from '../results.js';
import type { Trial } from './optuna.js';

/** A trial that this folder has asked for. */
export interface TrialRecord {
  readonly number: number;
  readonly params: Readonly<Record<string, unknown>>;
  /** How its runs ended, one for each seed, if it has ended. */
  readonly outcomes?: readonly Outcome[];
}

const folderOf = (out: string): string => join(out, 'trials');

/** The trials of a folder by their numbers, in order. */
export async function readTrials(out: string): Promise<Map<number, TrialRecord>> {
  const names = await readdir(folderOf(out)).catch(() => []);
  const files = names.filter((name) => /^\d+\.json$/.test(name));
  const records = await Promise.all(
    files.map(async (name) => {
      const path = join(folderOf(out), name);
      try {
        return JSON.parse(await readFile(path, 'utf8')) as TrialRecord;
      } catch {
        throw new UserError(
          `${path} is not a trial of a search: remove it, or give another --out.`,
        );
      }
    }),
  );
  return new Map(records.sort((a, b) => a.number - b.number).map((one) => [one.number, one]));
}

export async function writeTrial(out: string, trial: TrialRecord): Promise<void> {
  await ensureWritableFolder(folderOf(out));
  const path = join(folderOf(out), `${trial.number}.json`);
  await writeFileAtomic(path, `${JSON.stringify(trial, null, 2)}\n`);
}

/**
 * A trial that this folder asked for and has not told of, because the search was stopped.
 *
 * @param all those of the storage
 * @param known those of this folder
 * @param busy the numbers of those that run now
 * @param own whether the storage is this folder's alone. One of several machines has trials of the others;
 * in its own, even a trial that it did not get to know before it was killed is its own.
 */
export const leftOf = (
  all: readonly Trial[],
  known: ReadonlyMap<number, TrialRecord>,
  busy: ReadonlySet<number>,
  own: boolean,
): Trial | undefined =>
  all.find(
    ({ number, state }) => state === 'RUNNING' && !busy.has(number) && (own || known.has(number)),
  );

/** The runs of a trial. */
export const rowsOfTrial = (
  { sweep, recipe, base }: Plan,
  { number, params }: Pick<TrialRecord, 'number' | 'params'>,
): SweepRow[] => rowsOfSetting(sweep, recipe, base, { name: `trial-${number}`, changes: params });

/** The plan of some trials, in the order of their numbers. */
export function headOf(plan: Plan, search: Search, trials: Iterable<TrialRecord>): Head {
  const { trials: _, ...rest } = search;
  const key = searchKey(plan.sweep, search, plan.recipe);
  const rows = [...trials]
    .sort((a, b) => a.number - b.number)
    .flatMap((trial) => rowsOfTrial(plan, trial).map(({ recipe: _, ...row }) => row));
  return { ...plan.head, plan: rows, search: { ...rest, key } };
}

/**
 * What Optuna is told of a trial: the means over its seeds, or undefined if a run failed; a mean over those
 * that did not would speak for settings that are not stable.
 */
export function valuesOf(
  directions: Search['directions'],
  outcomes: readonly Outcome[],
): number[] | undefined {
  const runs = outcomes.map(({ scores }) => scores);
  const means = Object.keys(directions).map((measure) => {
    const values = runs.map((scores) => scores?.[measure] ?? Number.NaN);
    return meanOf(values).mean;
  });
  return means.every(Number.isFinite) ? means : undefined;
}

/**
 * Why a run that was measured has no value for a direction; undefined if it has.
 * @throws UserError if the evaluation has no such measure, as then no trial will have it
 */
export function lacking(
  directions: Search['directions'],
  { name, scores }: Outcome,
): string | undefined {
  if (!scores) return undefined;
  const measures = Object.keys(directions);
  const unknown = measures.find((measure) => !(measure in scores));
  if (unknown !== undefined) {
    throw new UserError(
      `search.directions: the evaluation of ${name} has no ${unknown}; it has ${Object.keys(scores).join(', ')}.`,
    );
  }
  const infinite = measures.find((measure) => scores[measure] === null);
  if (infinite === undefined) return undefined;
  return `The ${MEASURES[infinite as keyof typeof MEASURES].title} is infinite or not a number.`;
}
