/** Optuna's command, which draws the trials of a search and learns from their values. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { UserError } from '@gpn/runtime';
import type { Distribution, Search } from '@gpn/training';

/** A trial as Optuna's storage has it. */
export interface Trial {
  readonly number: number;
  readonly state: 'RUNNING' | 'COMPLETE' | 'PRUNED' | 'FAIL' | 'WAITING';
  /** Values by the path of a key. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** Where a study is kept, and its name there. */
export interface Place {
  /** The URL of a storage. */
  readonly storage: string;
  /** The folder that a path in it is relative to. */
  readonly cwd: string;
  readonly study: string;
}

/** The first version whose command reads the storage from OPTUNA_STORAGE. */
const OLDEST = [3, 2] as const;

const INSTALL =
  'install it by pip install optuna, in a virtual environment that is active (https://optuna.org)';

/** @throws UserError if there is no Optuna, or one that is too old */
export async function checkOptuna(cwd: string): Promise<string> {
  const { stdout } = await run(['--version'], { cwd });
  const [, version, major, minor] = /((\d+)\.(\d+)\S*)/.exec(stdout) ?? [];
  const older = Number(major) - OLDEST[0] || Number(minor) - OLDEST[1];
  if (version === undefined || !(older >= 0)) {
    throw new UserError(
      `A search needs Optuna ${OLDEST.join('.')} or later, and optuna --version says ${stdout.trim() || 'nothing'}: ${INSTALL}.`,
    );
  }
  return version;
}

/** Makes a study, unless it is there. */
export async function createStudy(place: Place, { directions }: Search): Promise<void> {
  const named = ['--skip-if-exists', '--directions', ...Object.values(directions)];
  await ofStudy(place, 'create-study', named);
}

/** All trials of a study, those of other machines, too. */
export async function trialsOf(place: Place): Promise<Trial[]> {
  const trials = JSON.parse(await ofStudy(place, 'trials', ['--format', 'json'])) as Trial[];
  return trials.map(({ number, state, params = {} }) => ({ number, state, params }));
}

/**
 * A new trial.
 * @param before how many there are. A sampler begins anew with each call: with the same seed, it would
 * draw the same values.
 */
export async function ask(place: Place, search: Search, before: number): Promise<Trial> {
  const answer = await ofStudy(place, 'ask', ['--format', 'json', ...samplerOf(search, before)]);
  return { ...(JSON.parse(answer) as Omit<Trial, 'state'>), state: 'RUNNING' };
}

/** The arguments of `ask`. */
export function samplerOf(search: Search, before: number): string[] {
  const { sampler, sampler_kwargs: given, params } = search;
  const seed = (typeof given.seed === 'number' ? given.seed : 0) + before;
  const space = Object.fromEntries(
    Object.entries(params).map(([key, distribution]) => [key, distributionOf(distribution)]),
  );
  return [
    ...['--sampler', sampler],
    ...['--sampler-kwargs', JSON.stringify({ ...given, seed })],
    ...['--search-space', JSON.stringify(space)],
  ];
}

/** A distribution in the JSON of `optuna.distributions`. */
export function distributionOf(distribution: Distribution): { name: string; attributes: object } {
  if (distribution.type === 'categorical') {
    return { name: 'CategoricalDistribution', attributes: { choices: distribution.choices } };
  }
  const { type, low, high, log, step } = distribution;
  return type === 'int'
    ? { name: 'IntDistribution', attributes: { low, high, log, step: step ?? 1 } }
    : { name: 'FloatDistribution', attributes: { low, high, log, step: step ?? null } };
}

/** Ends a trial. @param values those of the directions; undefined if it failed */
export async function tell(
  place: Place,
  number: number,
  values: readonly number[] | undefined,
): Promise<void> {
  const end = values ? ['--values', ...values.map(plain)] : ['--state', 'fail'];
  // Told before, by a search that was killed before it knew.
  await ofStudy(place, 'tell', ['--trial-number', String(number), '--skip-if-finished', ...end]);
}

/** Python's parser of arguments takes -1e-7 for an option. */
const plain = (value: number): string => (Math.abs(value) < 1e-6 ? value.toFixed(20) : `${value}`);

async function ofStudy(place: Place, name: string, args: readonly string[]): Promise<string> {
  const ended = await run([name, '--study-name', place.study, ...args], place);
  if (ended.code === 0) return ended.stdout;
  throw new UserError(problemOf(place.storage, ended.stderr));
}

async function run(args: readonly string[], { cwd, storage }: { cwd: string; storage?: string }) {
  // Not in the arguments: a URL may hold a password, and every user sees those.
  const place = storage === undefined ? {} : { OPTUNA_STORAGE: storage };
  const child = spawn('optuna', [...args], {
    cwd,
    // Its command says each time that it is experimental.
    env: { ...process.env, PYTHONWARNINGS: 'ignore', ...place },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C is the search's to handle
    windowsHide: true,
  });
  try {
    const [[code], stdout, stderr] = await Promise.all([
      once(child, 'close') as Promise<[number | null]>,
      text(child.stdout),
      text(child.stderr),
    ]);
    return { code, stdout, stderr };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new UserError(`A search needs Optuna, and there is no command optuna: ${INSTALL}.`);
  }
}

/** What is wrong with a storage, by the texts of Optuna's errors. */
const PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/database is locked/, 'is locked by another program: stop that, and try again'],
  [/unable to open database file/, 'cannot be opened: its folder does not exist, or is read-only'],
  [
    /readonly database|disk is full|disk I\/O error/,
    'cannot be written: there is no space, or no permission',
  ],
  [/No module named '(\w+)'/, 'needs a Python package beside Optuna, $1: install it by pip'],
  [/DB access module/, 'needs the Python package of its database beside Optuna: install it by pip'],
  [/connection.*failed|refused|timed? ?out|could not translate host/i, 'cannot be reached'],
  [
    /RuntimeError: .*(schema|version)/,
    'is of another version of Optuna: see optuna storage upgrade',
  ],
  [/not an optuna command/, 'is no storage that Optuna knows, such as sqlite:///search.db'],
];

/** A sentence about an error of Optuna. */
export function problemOf(storage: string, stderr: string): string {
  const url = withoutPassword(storage);
  for (const [pattern, what] of PROBLEMS) {
    const found = pattern.exec(stderr);
    if (found) return `Optuna's storage ${url} ${what.replace('$1', found[1] ?? '')}.`;
  }
  const lines = stderr.trim().split('\n');
  const last = lines.findLast((line) => /^[\w.]*(Error|Exception)\b/.test(line)) ?? lines.at(-1);
  return `Optuna refused (${url}): ${last?.trim().slice(0, 500) || 'it said nothing'}.`;
}

/** A URL that can be shown. */
export const withoutPassword = (url: string): string =>
  url.replace(/(\/\/[^/@:]*):[^@/]*@/, '$1:***@');
