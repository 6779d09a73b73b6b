import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import type { SweepRow } from '@gpn/training';
import { JOB_FILES, jobName } from '../../bulk/job-files.js';
import { ofPart, partOf } from '../../bulk/part.js';
import { RowsFailed } from '../../errors.js';
import { checkWritable } from '../../files.js';
import type { OptionsOf } from '../../options/declare/spec.js';
import type { SWEEP } from '../../options/sweep.js';
import { exitIfInterrupted, interruptible } from '../../terminal/interrupt.js';
import { print, printAside } from '../../terminal/print.js';
import { table } from '../../terminal/table.js';
import { createBoard, lineOf } from './board.js';
import { withData } from './data.js';
import { makeFolders, nameOf, type Plan, planOf, roomFor } from './plan.js';
import { report } from './report.js';
import { meansText, type Outcome, refuseOthers, resultsOf, writeResults } from './results.js';
import { findResult, forgetFailed, runRow } from './row.js';
import { runSearch } from './search/search.js';

export async function run(file: string, options: OptionsOf<typeof SWEEP>): Promise<void> {
  const plan = planOf(file, options.out);
  if (plan.sweep.search) return runSearch(plan, plan.sweep.search, options);
  if (options.storage !== undefined) {
    throw new UserError(`--storage is for searches, and ${file} has no key search.`);
  }
  if (options.print) {
    const { out } = plan;
    print(
      JOB_FILES[options.print]({
        name: jobName(nameOf(file)),
        parts: options.parts,
        threads: plan.sweep.threads,
        words: ['sweep', file, '-o', { part: join(out, 'part-') }, '--jobs', '1'],
        merge: ['merge', { all: join(out, 'part-') }, '-o', out],
        needs: file,
        out,
      }),
    );
    return;
  }
  const part = partOf(options.shard, process.env);
  const rows = ofPart(chosen(plan.rows, options.only), part);
  if (options.dryRun) {
    const checked = await withData(plan, rows);
    const bad = checked.filter(({ recipe }) => typeof recipe === 'string');
    print(options.json ? `${JSON.stringify(plan.head, null, 2)}\n` : listed(checked));
    if (bad.length > 0) {
      throw new RowsFailed(
        `${bad.length} of ${rows.length} runs cannot work, for the reasons above.`,
      );
    }
    return;
  }
  if (options.table) {
    const known = await knownOf(plan, rows);
    const results = resultsOf(plan.head, [...known.values()]);
    print(options.json ? `${JSON.stringify(results, null, 2)}\n` : meansText(results));
    printAside(`${known.size} of ${rows.length} runs are done.\n`);
    return;
  }
  await checkWritable(plan.out, 'folder', '--out');
  await refuseOthers(plan.out, plan.head);
  if (part)
    printAside(
      `Part ${part.index} of ${part.count}, by ${part.from}: ${rows.length} of ${plan.rows.length} runs.\n`,
    );
  if (options.retry) await forgetFailed(plan.out, rows);
  const results = resultsOf(plan.head, await runAll(plan, rows, options.jobs));
  report(results, await writeResults(plan.out, results), options.json);
}

/** The rows of some settings, or single ones. @throws UserError if there is none of a name */
function chosen(rows: readonly SweepRow[], only: readonly string[] | undefined): SweepRow[] {
  const named = (row: SweepRow, name: string) => row.name === name || row.setting === name;
  const unknown = only?.find((name) => !rows.some((row) => named(row, name)));
  if (unknown !== undefined) {
    const settings = [...new Set(rows.map(({ setting }) => setting))];
    throw new UserError(
      `--only ${unknown}: there is no such setting or run; the settings are ${settings.join(', ')}.`,
    );
  }
  return rows.filter((row) => !only || only.some((name) => named(row, name)));
}

/** The rows as a table, with what is wrong with them. */
const listed = (rows: readonly SweepRow[]): string =>
  table([
    ['run', '', 'changes'],
    ...rows.map(({ name, changes, recipe }) => [
      name,
      typeof recipe === 'string' ? recipe : 'ok',
      Object.entries(changes)
        .map(([path, value]) => `${path}: ${JSON.stringify(value)}`)
        .join(', '),
    ]),
  ]);

/** What is known of a row before it runs: its result, or what is wrong with its recipe. */
const outcomeOf = async ({ out }: Plan, row: SweepRow): Promise<Outcome | undefined> =>
  typeof row.recipe === 'string'
    ? { name: row.name, key: row.key, failed: row.recipe }
    : findResult(out, row);

/** What is known of rows, by their names. */
async function knownOf(plan: Plan, rows: readonly SweepRow[]): Promise<Map<string, Outcome>> {
  const outcomes = await Promise.all(rows.map((row) => outcomeOf(plan, row)));
  return new Map(outcomes.flatMap((outcome) => (outcome ? [[outcome.name, outcome]] : [])));
}

/** Runs what is not done yet, some rows at a time. */
async function runAll(plan: Plan, rows: readonly SweepRow[], jobs?: number): Promise<Outcome[]> {
  const known = await knownOf(plan, rows);
  const before = [...known.values()];
  const queue = rows.filter(({ name }) => !known.has(name));
  for (const outcome of before) {
    if (outcome.failed !== undefined) printAside(`${lineOf(plan.head, outcome)}\n`);
  }
  const atOnce = Math.min(jobs ?? roomFor(plan.sweep), Math.max(1, queue.length));
  const board = createBoard(process.stderr, plan.head, {
    total: rows.length,
    before,
    jobs: atOnce,
  });
  const interrupt = interruptible('Saving checkpoints before stopping', board.stop);
  interrupt.signal.addEventListener('abort', board.stop);
  await makeFolders(plan.out);
  const outcomes = [...before];
  const work = async (): Promise<void> => {
    for (let row = queue.shift(); row && !interrupt.signal.aborted; row = queue.shift()) {
      const { name } = row;
      board.say(name, 'starts');
      const outcome = await runRow(plan, row, interrupt.signal, (line) => board.say(name, line));
      if (!outcome) return;
      outcomes.push(outcome);
      board.ended(outcome);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, work));
  } finally {
    board.stop();
    interrupt.release();
  }
  exitIfInterrupted(interrupt, 'Stopped; the same command goes on from here.');
  return outcomes;
}
