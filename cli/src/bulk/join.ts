/** Joins the shards of results in one file, and checks that each item is there once. */
import { copyFile, link, mkdir, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '@gpn/runtime';
import { exists, fileError, makeFileAtomic, writeFileAtomic } from '@gpn/training/atomic';
import { eachOnce, type Part } from './part.js';
import {
  difference,
  itemsOf,
  type Plan,
  parsedLines,
  preparePlan,
  readPlan,
  rowsFile,
  shardNames,
} from './plan.js';
import { type Counts, columnsOf, countsOf, type Row } from './rows.js';

/** How results are written. */
export type Format = 'ndjson' | 'parquet';

/** What was joined. */
export interface Summary {
  readonly file: string;
  readonly rows: number;
  readonly shards: number;
  /** Pictures or images. */
  readonly items: number;
  /** Pictures that could not be scored; their rows say why. */
  readonly unreadable: number;
  readonly anomalous?: number;
}

/** The names of the shards that are done in a folder. */
export async function doneIn(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'shards')).catch(() => []);
  return names.flatMap((name) => /^(\d{6,})\.ndjson$/.exec(name)?.[1] ?? []).sort();
}

/** The plan of folders of results. @throws UserError if one has none, or they are of different plans */
export async function planOf(folders: readonly string[]): Promise<Plan> {
  const plans = await Promise.all(folders.map(readPlan));
  const [first] = plans;
  for (const [k, plan] of plans.entries()) {
    if (!plan || !first) {
      throw new UserError(
        `${folders[k]} has no plan.json: give the folders of gpn-cli score --manifest or sample, or of sweeps alone.`,
      );
    }
    const differs = difference(first, plan);
    if (differs) {
      throw new UserError(
        `${folders[0]} and ${folders[k]} are not of one command: another ${differs}.`,
      );
    }
  }
  return first as Plan;
}

/**
 * Joins the shards of folders in one file.
 *
 * @param out the folder of the file; it may be one of the folders
 * @throws UserError if a shard is missing, there twice or not whole, or the folders are of different plans
 */
export async function joinShards(
  folders: readonly string[],
  out: string,
  format: Format,
): Promise<Summary> {
  const plan = await planOf(folders);
  const names = shardNames(plan);
  const found = await Promise.all(
    folders.map(async (folder) => [folder, await doneIn(folder)] as const),
  );
  const from = eachOnce(names, found, 'shard');
  const isElsewhere = (folder: string) => resolve(folder) !== resolve(out);
  if (folders.some(isElsewhere)) await preparePlan(out, plan, await listOf(folders));
  if (plan.kind === 'sample') {
    for (const name of names) {
      const folder = from.get(name) as string;
      if (isElsewhere(folder)) await share(folder, out, `shards/${name}.tar`);
    }
  }
  return writeResults(plan, out, format, async (name) => ({ folder: from.get(name) as string }));
}

/**
 * Joins the shards of a folder while they are being made.
 *
 * @param made resolves when the shard of a name is there, to what it holds if its maker has just said so;
 *   it is asked for one after the other
 * @throws UserError if a shard is not whole; what `made` throws
 */
export const joinAsMade = (
  plan: Plan,
  out: string,
  format: Format,
  made: (name: string) => Promise<Counts | undefined>,
): Promise<Summary> =>
  writeResults(plan, out, format, async (name) => ({ folder: out, counts: await made(name) }));

/** @param find the folder that has a shard, and what it holds where that need not be checked */
async function writeResults(
  plan: Plan,
  out: string,
  format: Format,
  find: (name: string) => Promise<{ folder: string; counts?: Counts | undefined }>,
): Promise<Summary> {
  const names = shardNames(plan);
  const sum = { rows: 0, unreadable: 0, anomalous: 0 };
  async function* shards(): Shards {
    for (const [shard, name] of names.entries()) {
      const { folder, counts } = await find(name);
      const path = rowsFile(folder, name);
      const bytes = await readFile(path);
      const rows = counts && format === 'ndjson' ? [] : checkedRows(path, bytes, plan, shard);
      const { rows: all, unreadable, anomalous } = counts ?? countsOf(rows);
      sum.rows += all;
      sum.unreadable += unreadable;
      sum.anomalous += anomalous;
      yield { bytes, rows };
    }
  }
  const file = join(out, `results.${format}`);
  await WRITERS[format](file, shards(), plan);
  const { anomalous, ...rest } = sum;
  const isThreshold = plan.kind === 'score' && plan.threshold !== undefined;
  const common = { file, shards: names.length, items: plan.items };
  return { ...common, ...rest, ...(isThreshold && { anomalous }) };
}

/** The text of the list of pictures of one of the folders. */
async function listOf(folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const text = await readFile(join(folder, 'pictures.ndjson'), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Gives a file a second name in another folder; where the disk has no such names, it is copied. */
async function share(folder: string, out: string, name: string): Promise<void> {
  const [source, target] = [join(folder, name), join(out, name)];
  try {
    if (!(await exists(source))) throw new UserError(`${source} is missing; its rows are there.`);
    await mkdir(join(out, 'shards'), { recursive: true });
    await link(source, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      return makeFileAtomic(target, (temporary) => copyFile(source, temporary));
    });
  } catch (error) {
    throw fileError('write', target, error);
  }
}

/** The rows of a shard, as {@link checkRows} wants them. */
function checkedRows(path: string, bytes: Buffer, plan: Plan, shard: number): Row[] {
  const rows = rowsIn(path, bytes.toString());
  checkRows(path, rows, plan, shard);
  return rows;
}

function rowsIn(path: string, text: string): Row[] {
  try {
    if (text.endsWith('\n')) return parsedLines<Row>(text);
  } catch {} // no JSON: the same sentence
  throw new UserError(`${path} is not whole: remove it, and give the command that made it again.`);
}

/** Checks that a shard has rows of all of its items, in their order, by the plan's model. */
function checkRows(path: string, rows: readonly Row[], plan: Plan, shard: number): void {
  const [first, end] = itemsOf(plan, shard);
  const mayRepeat = plan.kind === 'score' && plan.fragments;
  let next = first;
  for (const { index, model } of rows) {
    const isNext = index === next;
    const isSame = mayRepeat && index === next - 1 && index >= first;
    if (model !== plan.model.sha256) throw wrong(path, `${index} is by another model`);
    if (!isNext && !isSame) throw wrong(path, `${index} is where ${next} should be`);
    if (isNext) next++;
  }
  if (next !== end) throw wrong(path, `${next} is missing`);
}

const wrong = (path: string, what: string): UserError =>
  new UserError(
    `${path}: the row of item ${what}; remove the file, and give the command that made it again.`,
  );

type Shards = AsyncGenerator<{ bytes: Uint8Array; rows: readonly Row[] }>;

const WRITERS: Record<Format, (path: string, shards: Shards, plan: Plan) => Promise<void>> = {
  ndjson: (path, shards) =>
    writeFileAtomic(
      path,
      (async function* () {
        for await (const { bytes } of shards) yield bytes;
      })(),
    ),
  async parquet(path, shards, plan) {
    const { fileWriter, parquetWriteRows } = await import('hyparquet-writer');
    const columns = columnsOf(plan);
    const big = columns.filter(({ type }) => type === 'INT64').map(({ name }) => name);
    async function* rows() {
      for await (const { rows } of shards) {
        for (const row of rows) {
          const values: Record<string, unknown> = { ...row };
          for (const name of big) values[name] = BigInt(values[name] as number);
          yield values;
        }
      }
    }
    await makeFileAtomic(path, async (temporary) =>
      parquetWriteRows({ writer: fileWriter(temporary), rows: rows(), columns }),
    );
  },
};

/** What a part has, in words. */
export const partSentence = ({ index, count, from }: Part, own: number, all: number): string =>
  `Part ${index} of ${count}, by ${from}: ${own} of ${all} shards.\n`;
