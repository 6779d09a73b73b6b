/** One row of a sweep: a training and its evaluation, each a command, and the file of its result. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '@gpn/runtime';
import {
  type Evaluation,
  evaluationOf,
  recipeToYaml,
  type SweepRow,
  type TrainResult,
} from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';
import { refuseIfLocked } from '@gpn/training/lock';
import { command, type Ended } from './command.js';
import type { Plan } from './plan.js';
import type { Outcome } from './results.js';

const resultOf = (out: string, { name }: SweepRow): string => join(out, 'results', `${name}.json`);

/**
 * The result of a row that is done.
 * @throws UserError if the file is one of other settings, or not whole
 */
export async function findResult(out: string, row: SweepRow): Promise<Outcome | undefined> {
  const path = resultOf(out, row);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const found = parsed(text) as Outcome | undefined;
  if (found?.key === row.key) return found;
  throw new UserError(
    `${path} is the result of other settings than ${row.name} has now: give another --out, or remove it and ${join(out, 'runs', row.name)}.`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Trains and evaluates a row, from where it was stopped.
 *
 * @param say gets lines about its progress
 * @returns undefined if it was interrupted
 */
export async function runRow(
  { out, sweep, base }: Plan,
  row: SweepRow,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Outcome | undefined> {
  const { name, key, recipe } = row;
  if (typeof recipe === 'string') return { name, key, failed: recipe }; // it is found before
  const run = join(out, 'runs', name);
  await whenFree(run, signal, say);
  const before = await findResult(out, row);
  if (before || signal.aborted) return before;

  const file = join(out, 'recipes', `${name}.yml`);
  await writeFileAtomic(file, recipeToYaml(recipe));
  const threads = ['--threads', String(sweep.threads), '--device', 'cpu'];
  const length = sweep.minutes ? ['--minutes', String(sweep.minutes)] : [];
  const trained = await command(
    ['train', file, '--out', run, ...threads, ...length, '--resume', '--json'],
    signal,
    say,
  );
  if (signal.aborted) return undefined;
  if (trained.code !== 0) return failed(out, row, trained);
  const { type, step } = JSON.parse(trained.stdout) as Pick<TrainResult, 'type' | 'step'>;
  if (type === 'interrupted') {
    return { name, key, failed: `Its process was told to stop, which it did at step ${step}.` };
  }

  const model = join(run, 'generator.onnx');
  const { data, samples, seeds, features, classes, sliced } = evaluationOf(sweep, recipe, base);
  const options = Object.entries({ samples, seeds, features, classes: classes?.join(',') });
  const given = options.flatMap(([option, value]) =>
    value === undefined ? [] : [`--${option}`, String(value)],
  );
  const evaluated = await command(
    [
      'eval',
      '--model',
      model,
      '--data',
      data,
      ...given,
      ...(sliced ? ['--sliced'] : []),
      ...threads,
      '--json',
    ],
    signal,
    (line) => say(`evaluation · ${line}`),
  );
  if (signal.aborted) return undefined;
  if (evaluated.code !== 0) return failed(out, row, evaluated);
  const { scores, protocolHash: protocol } = JSON.parse(evaluated.stdout) as Evaluation;
  const values = Object.entries(scores).map(([measure, { value }]) => [measure, value]);
  const outcome = { name, key, steps: step, protocol, scores: Object.fromEntries(values) };
  return kept(out, row, outcome);
}

async function kept(out: string, row: SweepRow, outcome: Outcome): Promise<Outcome> {
  await writeFileAtomic(resultOf(out, row), `${JSON.stringify(outcome, null, 2)}\n`);
  return outcome;
}

/**
 * What is refused, or collapses, does so every time, and is kept as a result; a process that was killed
 * or has a bug is tried again.
 */
async function failed(out: string, row: SweepRow, ended: Ended): Promise<Outcome> {
  const { name, key } = row;
  const outcome = { name, key, failed: reasonOf(ended).replaceAll(join(out, '/'), '') };
  return ended.code === 2 ? kept(out, row, outcome) : outcome;
}

/** Removes the results of rows that failed, and their runs, so that they start anew. */
export async function forgetFailed(out: string, rows: readonly SweepRow[]): Promise<void> {
  for (const row of rows) {
    if ((await findResult(out, row))?.failed === undefined) continue;
    await rm(join(out, 'runs', row.name), { recursive: true, force: true });
    await rm(resultOf(out, row), { force: true });
  }
}

/** Waits for the end of another training in the folder, such as that of a sweep that was killed. */
async function whenFree(run: string, signal: AbortSignal, say: (line: string) => void) {
  while (!signal.aborted) {
    try {
      return await refuseIfLocked(run);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      say(`waiting: ${error.message}`);
      await sleep(500);
    }
  }
}

/** Why a command failed: the sentence that it ended with. */
function reasonOf({ killedBy, code, stderr }: Ended): string {
  if (killedBy) return `The process was ended by ${killedBy}.`;
  const at = stderr.lastIndexOf('gpn-cli: ');
  const text = at < 0 ? stderr : stderr.slice(at + 'gpn-cli: '.length);
  return text.trim().replaceAll(/\s+/g, ' ').slice(0, 1000) || `The process ended with ${code}.`;
}
