/** The results of a sweep: each row, means over seeds, as JSON, as Markdown and as a picture. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import {
  format,
  MEASURES,
  type Mean,
  type MeasureName,
  meansChart,
  type Search,
} from '@gpn/training';
import { ensureWritableFolder, exists, writeFileAtomic } from '@gpn/training/atomic';
import { eachOnce } from '../../bulk/part.js';
import { table } from '../../terminal/table.js';

/** How a row ended. */
export interface Outcome {
  readonly name: string;
  /** Of the settings that it is the result of. */
  readonly key: string;
  readonly steps?: number;
  /** The hash of the protocol of its evaluation. */
  readonly protocol?: string;
  /** A measure that is infinite or no number is null. */
  readonly scores?: Readonly<Record<string, number | null>>;
  /** Why it has none: a sentence. */
  readonly failed?: string;
}

/** A row as it was planned. */
export interface Planned {
  readonly name: string;
  readonly setting: string;
  readonly seed: number;
  readonly changes: Readonly<Record<string, unknown>>;
  readonly key: string;
}

/** What the parts of a sweep have in common. */
export interface Head {
  readonly version: 1;
  readonly recipe: string;
  readonly show?: readonly string[];
  readonly plan: readonly Planned[];
  /** What Optuna searches; each setting of the plan is one of its trials. */
  readonly search?: Omit<Search, 'trials'> & { readonly key: string };
}

/** The content of `results.json`; it holds no times and no paths of the machine. */
export interface Results extends Head {
  /** In the order of the plan. */
  readonly rows: readonly Outcome[];
  readonly means: readonly Summary[];
  /** Of a search: the best trial, or those of the Pareto front. */
  readonly best?: readonly string[];
}

/** The means of a setting over its seeds. */
export interface Summary {
  readonly setting: string;
  readonly seeds: number;
  readonly failed: number;
  readonly scores: Readonly<Record<string, { mean: number; error?: number; count: number }>>;
}

const isKnown = (name: string): name is MeasureName => Object.hasOwn(MEASURES, name);

/** @throws UserError if a measure that is to be shown does not exist */
export function checkShown(show: readonly string[] = [], key = 'show'): void {
  const unknown = show.find((name) => !isKnown(name));
  if (unknown === undefined) return;
  throw new UserError(
    `${key}: there is no measure ${unknown}; there are ${Object.keys(MEASURES).join(', ')}.`,
  );
}

/** The mean, and with several values the standard error of it. */
export function meanOf(values: readonly number[]): { mean: number; error?: number; count: number } {
  const count = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / count;
  if (count < 2) return { mean, count };
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (count - 1) / count), count };
}

/** Joins outcomes with their plan. */
export function resultsOf(head: Head, outcomes: readonly Outcome[]): Results {
  const byName = new Map(outcomes.map((outcome) => [outcome.name, outcome]));
  const rows = head.plan.flatMap(({ name }) => byName.get(name) ?? []);
  const settings = [...new Set(head.plan.map(({ setting }) => setting))];
  const means = settings.flatMap((setting) => summaryOf(setting, head, byName));
  const { search } = head;
  return { ...head, rows, means, ...(search && { best: bestOf(search.directions, means) }) };
}

/** The settings that no other one surpasses: in one measure at least, and behind in none. */
export function bestOf(directions: Search['directions'], means: readonly Summary[]): string[] {
  const names = Object.keys(directions);
  const costs = ({ scores }: Summary): number[] =>
    names.map(
      (name) => (scores[name]?.mean ?? Number.NaN) * (directions[name] === 'maximize' ? -1 : 1),
    );
  const whole = means.filter((mean) => !mean.failed && !costs(mean).some(Number.isNaN));
  const surpasses = (a: number[], b: number[]): boolean =>
    a.every((x, k) => x <= (b[k] as number)) && a.some((x, k) => x < (b[k] as number));
  return whole
    .filter((mean) => !whole.some((other) => surpasses(costs(other), costs(mean))))
    .map(({ setting }) => setting);
}

function summaryOf(
  setting: string,
  { plan }: Head,
  byName: ReadonlyMap<string, Outcome>,
): Summary[] {
  const own = plan.filter((row) => row.setting === setting);
  const rows = own.flatMap(({ name }) => byName.get(name) ?? []);
  if (rows.length === 0) return [];
  const names = [...new Set(rows.flatMap(({ scores = {} }) => Object.keys(scores)))];
  const scores = names.flatMap((name) => {
    const values = valuesOf(rows, name);
    return values.length > 0 ? [[name, meanOf(values)] as const] : [];
  });
  const failed = rows.filter((row) => row.failed !== undefined).length;
  return [{ setting, seeds: rows.length - failed, failed, scores: Object.fromEntries(scores) }];
}

const valuesOf = (rows: readonly Outcome[], name: string): number[] =>
  rows.flatMap(({ scores }) => scores?.[name] ?? []);

/** Measures in the order in which a table has them, if a sweep does not say which. */
const SHOWN: readonly MeasureName[] = [
  'modes',
  'modeDivergence',
  'frechet',
  'sliced',
  'precision',
  'recall',
  'duplicates',
];

/** What a table is made of. */
type Shown = 'show' | 'means' | 'plan' | 'search' | 'best';

/** The measures of the table of some results. */
function shownOf({ show, means, search }: Pick<Results, Shown>): MeasureName[] {
  const there = (name: string) => means.some(({ scores }) => name in scores);
  const names = show ?? [...Object.keys(search?.directions ?? {}), ...SHOWN];
  return [...new Set(names)].filter(isKnown).filter(there);
}

/** The first measure of the table, which stands for a row where there is place for one. */
export const mainOf = (results: Pick<Results, Shown>): MeasureName | undefined =>
  shownOf(results)[0];

/** A head and a row for each setting. */
export function meanRows(results: Pick<Results, Shown>): string[][] {
  const shown = shownOf(results);
  const drawn = Object.keys(results.search?.params ?? {});
  const changes = new Map(results.plan.map((row) => [row.setting, row.changes]));
  return [
    ['setting', ...drawn, 'seeds', ...shown.map((name) => MEASURES[name].title)],
    ...results.means.map(({ setting, seeds, failed, scores }) => [
      results.best?.includes(setting) ? `${setting} (best)` : setting,
      ...drawn.map((path) => short(changes.get(setting)?.[path])),
      failed ? `${seeds} (${failed} failed)` : `${seeds}`,
      ...shown.map((name) => {
        const { mean, error } = scores[name] ?? {};
        const around = error === undefined ? '' : ` ± ${format(error, MEASURES[name])}`;
        return `${format(mean, MEASURES[name])}${around}`;
      }),
    ]),
  ];
}

/** A value that was drawn, with digits enough to tell it from others. */
const short = (value: unknown): string =>
  typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value);

/** The means as a table for a terminal. */
export const meansText = (results: Pick<Results, Shown>): string => {
  const rows = meanRows(results);
  return table(rows, ['left', ...(rows[0] ?? []).slice(1).map(() => 'right' as const)]);
};

function markdown(results: Results): string {
  const [head = [], ...rows] = meanRows(results);
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const failed = results.rows.filter((row) => row.failed !== undefined);
  return [
    line(head),
    line(head.map((_, column) => (column ? '---:' : '---'))),
    ...rows.map(line),
    '',
    'Means over the seeds ± standard errors.',
    ...failed.flatMap(({ name, failed = '' }) => ['', `${name} failed: ${failed}`]),
    '',
  ].join('\n');
}

/** Writes `results.json`, `results.md` and, if something was measured, `results.svg`. */
export async function writeResults(out: string, results: Results): Promise<string[]> {
  const main = mainOf(results);
  const means = results.means.flatMap(({ setting, scores }): Mean[] => {
    const own = results.plan.filter((row) => row.setting === setting).map(({ name }) => name);
    const rows = results.rows.filter(({ name }) => own.includes(name));
    const found = main && scores[main];
    return found ? [{ name: setting, values: valuesOf(rows, main), ...found }] : [];
  });
  const texts: Record<string, string> = {
    'results.json': `${JSON.stringify(results, null, 2)}\n`,
    'results.md': markdown(results),
    ...(main && { 'results.svg': await meansChart(MEASURES[main].title, means) }),
  };
  await ensureWritableFolder(out);
  for (const [name, text] of Object.entries(texts)) await writeFileAtomic(join(out, name), text);
  return Object.keys(texts).map((name) => join(out, name));
}

/**
 * Keeps the results that a folder has: those of more settings or seeds may take their place.
 *
 * @throws UserError if the folder has results of runs that are not in this plan
 */
export async function refuseOthers(out: string, { plan }: Head): Promise<void> {
  const path = join(out, 'results.json');
  if (!(await exists(path))) return;
  const { rows } = await readResults(out);
  const names = new Set(plan.map(({ name }) => name));
  const lost = rows.find(({ name }) => !names.has(name));
  if (lost === undefined) return;
  throw new UserError(
    `${path} has the result of ${lost.name}, which is not in this sweep: give another --out, or remove that file.`,
  );
}

/** Reads the results of a part. @throws UserError if there are none */
export async function readResults(folder: string): Promise<Results> {
  const path = join(folder, 'results.json');
  const wrong = (why: string) =>
    new UserError(
      `${path} ${why}: give the folders of gpn-cli sweep that have ended, or of bulk work.`,
    );
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw wrong(error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code})`);
  });
  try {
    const results = JSON.parse(text) as Results;
    const whole =
      results?.version === 1 && Array.isArray(results.plan) && Array.isArray(results.rows);
    if (whole) return results;
  } catch {} // no JSON: the same sentence
  throw wrong('is not the result of a sweep');
}

/**
 * Joins the results of the parts of one sweep, as if one machine had run it.
 * @param folders the names of the parts
 * @throws UserError if they are of different sweeps, or a row is missing or there twice
 */
export function joined(folders: readonly string[], parts: readonly Results[]): Results {
  const headOf = ({ rows: _, means: __, ...head }: Results): Head => head;
  const [first] = parts as [Results, ...Results[]];
  const head = headOf(first);
  const other = parts.findIndex((part) => JSON.stringify(headOf(part)) !== JSON.stringify(head));
  if (other >= 0) {
    throw new UserError(
      `${folders[0]} and ${folders[other]} are not of one sweep: their recipe, settings or seeds differ.`,
    );
  }
  eachOnce(
    head.plan.map(({ name }) => name),
    parts.map(({ rows }, k) => [folders[k] as string, rows.map(({ name }) => name)]),
    'run',
  );
  return resultsOf(
    head,
    parts.flatMap(({ rows }) => rows),
  );
}
