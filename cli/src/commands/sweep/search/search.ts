/** A search: Optuna draws the settings, and learns from how their runs end. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import {
  endsOf,
  type Recipe,
  recipeToYaml,
  rowsOfSetting,
  type Search,
  type SweepRow,
  triedValues,
} from '@gpn/training';
import { ensureWritableFolder, writeFileAtomic } from '@gpn/training/atomic';
import { lockFolder } from '@gpn/training/lock';
import { checkWritable } from '../../../files.js';
import type { OptionsOf } from '../../../options/declare/spec.js';
import type { SWEEP } from '../../../options/sweep.js';
import { exitIfInterrupted, interruptible } from '../../../terminal/interrupt.js';
import { print, printAside } from '../../../terminal/print.js';
import { table } from '../../../terminal/table.js';
import { createBoard } from '../board.js';
import { withData } from '../data.js';
import { makeFolders, nameOf, type Plan, roomFor } from '../plan.js';
import {
  checkShown,
  type Head,
  meansText,
  type Outcome,
  type Planned,
  resultsOf,
} from '../results.js';
import { runRow } from '../row.js';
import {
  ask,
  checkOptuna,
  createStudy,
  type Place,
  tell,
  trialsOf,
  withoutPassword,
} from './optuna.js';
import { reportSearch, writeSearch } from './results.js';
import {
  headOf,
  lacking,
  leftOf,
  readTrials,
  rowsOfTrial,
  type TrialRecord,
  valuesOf,
  writeTrial,
} from './trials.js';

type Options = OptionsOf<typeof SWEEP>;

/** Options of sweeps that searches do not have, and what there is instead. */
const NOT_HERE: readonly (readonly [keyof Options, string])[] = [
  [
    'shard',
    '--shard: a search has no parts; machines share one by --storage, each with its own --out',
  ],
  ['only', '--only: a search trains what Optuna draws'],
  [
    'retry',
    '--retry: a trial that failed stays so; with more trials in the file, the search goes on',
  ],
  ['print', '--print: a search has no parts; start it with the same --storage on each machine'],
];

export async function runSearch(plan: Plan, search: Search, options: Options): Promise<void> {
  const { out, file } = plan;
  const [, refused] = NOT_HERE.find(([name]) => options[name] !== undefined) ?? [];
  if (refused !== undefined) throw new UserError(`${refused}.`);
  checkShown(Object.keys(search.directions), `${file}: search.directions`);
  if (options.table) return showTable(plan, search, options.json);
  await checkValues(plan, search);
  await checkOptuna('.');
  if (options.dryRun) return print(described(search));

  await checkWritable(out, 'folder', '--out');
  const lock = await lockFolder(out);
  try {
    const place = await placeOf(plan, search, options.storage ?? process.env.OPTUNA_STORAGE);
    await createStudy(place, search);
    const trials = await runTrials(plan, search, place, options.jobs);
    await conclude(plan, search, trials, options.json);
  } finally {
    await lock.release();
  }
}

async function showTable(plan: Plan, search: Search, json: boolean | undefined): Promise<void> {
  const trials = [...(await readTrials(plan.out)).values()].filter(({ outcomes }) => outcomes);
  const results = resultsOf(headOf(plan, search, trials), outcomesOf(trials));
  print(json ? `${JSON.stringify(results, null, 2)}\n` : meansText(results));
  printAside(`${trials.length} of ${search.trials} trials are done.\n`);
}

const outcomesOf = (trials: Iterable<TrialRecord>): Outcome[] =>
  [...trials].flatMap(({ outcomes = [] }) => outcomes);

/**
 * Checks the recipes at the ends of all distributions, and their data; says which values alone make trials fail.
 * @throws UserError if no end can be trained: then a key is wrong, or the data are missing
 */
async function checkValues(plan: Plan, search: Search): Promise<void> {
  const { sweep, recipe, base, file } = plan;
  const rowsOf = (changes: Record<string, unknown>) =>
    rowsOfSetting(sweep, recipe, base, { name: 'tried', changes }).slice(0, 1);
  const ends = endsOf(search);
  const checked = await withData(plan, ends.flatMap(rowsOf));
  const good = ends[checked.findIndex((row) => typeof row.recipe !== 'string')];
  if (!good) {
    throw new UserError(
      `${file}: with the first values of search.params: ${checked[0]?.recipe as string}`,
    );
  }
  for (const [path, value] of triedValues(search)) {
    const [row] = rowsOf({ ...good, [path]: value });
    if (typeof row?.recipe !== 'string') continue;
    printAside(`${file}: trials with ${path} ${JSON.stringify(value)} may fail: ${row.recipe}\n`);
  }
}

const described = ({ trials, directions, params, sampler }: Search): string =>
  table([
    ['trials', String(trials)],
    ['sampler', sampler],
    ...Object.entries(directions).map(([measure, direction]) => [direction, measure]),
    ...Object.entries(params).map(([key, { type, ...rest }]) => [
      key,
      `${type} ${Object.entries(rest)
        .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
        .join(', ')}`,
    ]),
  ]);

/**
 * The storage and the study; the name of the study has a part of the key, so that trials of other settings
 * are never counted among these.
 *
 * @throws UserError if the folder has another search
 */
async function placeOf(
  plan: Plan,
  search: Search,
  storage: string | undefined,
): Promise<Place & { readonly own: boolean }> {
  const { out, file } = plan;
  const key = searchKeyOf(plan, search);
  const study = `${nameOf(file)}-${key.slice(0, 12)}`;
  const place =
    storage === undefined
      ? { storage: 'sqlite:///optuna.db', cwd: out, study, own: true }
      : { storage, cwd: '.', study, own: false };
  const path = join(out, 'search.json');
  const mine = { key, storage: withoutPassword(place.storage), study };
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) {
    await ensureWritableFolder(out);
    await writeFileAtomic(path, `${JSON.stringify(mine, null, 2)}\n`);
    return place;
  }
  const before = parsed(text);
  if (before?.key !== key) {
    throw new UserError(
      `${out} has a search with other settings than ${file} has now: give another --out.`,
    );
  }
  if (before.storage !== mine.storage) {
    throw new UserError(
      `${out} has a search whose trials are in ${before.storage}, not in ${mine.storage}: give that --storage, or another --out.`,
    );
  }
  return { ...place, study: before.study ?? study };
}

const searchKeyOf = (plan: Plan, search: Search): string =>
  headOf(plan, search, []).search?.key ?? '';

function parsed(text: string): { key?: string; storage?: string; study?: string } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Trains what is asked for until all trials have ended. @returns those of this folder */
async function runTrials(
  plan: Plan,
  search: Search,
  place: Place & { own: boolean },
  jobs = roomFor(plan.sweep),
): Promise<TrialRecord[]> {
  const { out } = plan;
  const trials = await readTrials(out);
  const planned: Planned[] = [...headOf(plan, search, trials.values()).plan];
  const head: Head = { ...headOf(plan, search, []), plan: planned };
  const before = outcomesOf(trials.values());
  const seeds = rowsOfTrial(plan, { number: 0, params: {} }).length;
  const work = { total: search.trials * seeds, before, jobs };
  const board = createBoard(process.stderr, head, work);
  const interrupt = interruptible('Saving checkpoints before stopping', board.stop);
  interrupt.signal.addEventListener('abort', board.stop);
  const broken = new AbortController();
  const signal = AbortSignal.any([interrupt.signal, broken.signal]);
  await makeFolders(out);

  const next = oneByOne(() => nextTrial(search, place, trials, busy));
  const busy = new Set<number>();
  const runTrial = async (trial: TrialRecord): Promise<TrialRecord | undefined> => {
    if (trial.outcomes) return trial; // killed before it was told
    const outcomes: Outcome[] = [];
    for (const row of rowsOfTrial(plan, trial)) {
      const { name, key } = row;
      const bad = outcomes.find(({ failed }) => failed !== undefined);
      board.say(name, 'starts');
      const ended = bad
        ? { name, key, failed: `It was not trained, because ${bad.name} failed.` }
        : await runRow(plan, row, signal, (line) => board.say(name, line));
      if (!ended) return undefined;
      const lack = lacking(search.directions, ended);
      const outcome = lack === undefined ? ended : { name, key, failed: lack };
      outcomes.push(outcome);
      board.ended(outcome);
    }
    return { ...trial, outcomes };
  };
  const worker = async (): Promise<void> => {
    while (!signal.aborted) {
      const trial = await next();
      if (!trial) return;
      if (!trials.has(trial.number)) {
        await writeTrial(out, trial);
        planned.push(...headOf(plan, search, [trial]).plan);
      }
      trials.set(trial.number, trial);
      const ended = await runTrial(trial);
      if (!ended) return;
      trials.set(trial.number, ended);
      await writeTrial(out, ended);
      await tell(place, trial.number, valuesOf(search.directions, ended.outcomes ?? []));
      busy.delete(trial.number);
    }
  };
  const stopping = async (): Promise<void> => {
    try {
      await worker();
    } catch (error) {
      broken.abort(); // the others save checkpoints
      throw error;
    }
  };
  try {
    const ended = await Promise.allSettled(Array.from({ length: jobs }, stopping));
    const failed = ended.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
  } finally {
    board.stop();
    interrupt.release();
  }
  exitIfInterrupted(interrupt, 'Stopped; the same command goes on from here.');
  return [...trials.values()];
}

/** Calls a function again only after its last call has ended. */
function oneByOne<T>(call: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const result = last.then(call);
    last = result.catch(() => {});
    return result;
  };
}

/**
 * A trial to train: one that was asked for, and not told, or else a new one.
 * @param known the trials of this folder
 * @param busy those that run now, and this one
 */
async function nextTrial(
  search: Search,
  place: Place & { own: boolean },
  known: ReadonlyMap<number, TrialRecord>,
  busy: Set<number>,
): Promise<TrialRecord | undefined> {
  const all = (await trialsOf(place)).filter(({ state }) => state !== 'WAITING');
  const left = leftOf(all, known, busy, place.own);
  if (!left && all.length >= search.trials) return undefined;
  const { number, params } = left ?? (await ask(place, search, all.length));
  const before = known.get(number);
  if (before && !left) {
    throw new UserError(
      `Trial ${number} is new in Optuna's storage, and the folder of the search has one: the storage was emptied; give another --out.`,
    );
  }
  busy.add(number);
  return before ?? { number, params };
}

/** Writes and prints the results. */
async function conclude(
  plan: Plan,
  search: Search,
  trials: readonly TrialRecord[],
  json: boolean | undefined,
): Promise<void> {
  const ended = trials.filter(({ outcomes }) => outcomes);
  const results = resultsOf(headOf(plan, search, ended), outcomesOf(ended));
  const rows = ended.flatMap((trial) => rowsOfTrial(plan, trial));
  const recipeOf = (trial: string): string => {
    const row = rows.find(({ setting }) => setting === trial) as SweepRow;
    return recipeToYaml(row.recipe as Recipe); // a trial that has values has a recipe
  };
  const files = await writeSearch(plan.out, results, recipeOf);
  reportSearch(results, files, json);
  if (ended.length < search.trials) {
    printAside(
      `Of ${search.trials} trials, ${ended.length} are in this folder; join those of all machines by gpn-cli merge.\n`,
    );
  }
}
