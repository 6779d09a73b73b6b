/**
 * The metrics of a run as JSON lines: one object a line, in the order of steps. Other tools can read
 * the file while the run goes on.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { UserError } from '@gpn/runtime';
import * as z from 'zod';
import { openToAppend } from './append.js';
import { exists, fileError, writeFileAtomic } from './atomic.js';

/** A line: the step after which it was measured (from 1), and the measured values by name. */
export interface MetricsRow {
  step: number;
  [measure: string]: number;
}

/** Names the contents of a log, so that a checkpoint can tell whether the log beside it is its own. */
export interface LogMark {
  readonly lines: number;
  /** In hex. */
  readonly sha256: string;
}

/** An open log. */
export interface MetricsLog {
  /** Appends a line. It is in the file when this returns, so a killed process loses nothing. */
  append(row: MetricsRow): void;
  mark(): LogMark;
  /** When this returns, a power cut loses nothing either. */
  sync(): void;
  close(): void;
}

/** JSON has no NaN, which a diverging run measures, so NaN is written and read as null. */
const rowSchema = z.object({ step: z.int().nonnegative() }).catchall(
  z
    .number()
    .nullable()
    .transform((value) => value ?? Number.NaN),
);

/**
 * Opens the log of a run. It then holds only the given lines; a resumed run keeps those up to its
 * checkpoint and writes the later ones again. The final log equals that of an uninterrupted run.
 * @throws UserError when the file cannot be written
 */
export async function openMetricsLog(
  path: string,
  kept: readonly string[] = [],
): Promise<MetricsLog> {
  const text = kept.map((line) => `${line}\n`).join('');
  await writeFileAtomic(path, text);
  const file = openToAppend(path);
  const hash = createHash('sha256').update(text);
  let lines = kept.length;
  return {
    append(row) {
      const line = `${JSON.stringify(row)}\n`;
      file.append(Buffer.from(line));
      hash.update(line);
      lines++;
    },
    mark: () => ({ lines, sha256: hash.copy().digest('hex') }),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

/** The part of a log that a checkpoint continues. */
export interface KeptLines {
  readonly lines: readonly string[];
  /** The steps without a line, such as `101 to 300`; empty if there are none. */
  readonly missing: string;
  /** Whether all lines are there, but not those that the checkpoint was written after. */
  readonly foreign: boolean;
}

/**
 * Reads the lines of a log up to the step of a checkpoint. A log that does not exist has none.
 * @param mark of the checkpoint; without one, the lines' own steps tell how far they go
 * @throws UserError when the file cannot be read, or a line is broken
 */
export async function linesUpTo(path: string, step: number, mark?: LogMark): Promise<KeptLines> {
  const lines = (await exists(path)) ? await readLines(path) : [];
  const marked = lines.slice(0, mark?.lines);
  const text = marked.map((line) => `${line}\n`).join('');
  if (mark && createHash('sha256').update(text).digest('hex') === mark.sha256) {
    return { lines: marked, missing: '', foreign: false };
  }
  const rows = lines.map((line, index) => ({ line, row: parseRow(line, path, index + 1) }));
  const kept = rows.filter(({ row }) => row.step <= step);
  const missing = rangesWithout(new Set(kept.map(({ row }) => row.step)), step);
  return {
    lines: kept.map(({ line }) => line),
    missing,
    foreign: mark !== undefined && missing === '',
  };
}

/** The ranges of 1 to `last` that a set lacks: `3, 101 to 300`. */
function rangesWithout(present: ReadonlySet<number>, last: number): string {
  const ranges: [from: number, to: number][] = [];
  for (let step = 1; step <= last; step++) {
    if (present.has(step)) continue;
    const range = ranges.at(-1);
    if (range?.[1] === step - 1) range[1] = step;
    else ranges.push([step, step]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`)).join(', ');
}

/**
 * Reads the rows of a log; the run may still be going on.
 *
 * @throws UserError when the file cannot be read, or naming the line that is broken
 */
export async function readMetricsLog(path: string): Promise<MetricsRow[]> {
  return (await readLines(path)).map((line, index) => parseRow(line, path, index + 1));
}

async function readLines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw fileError('read', path, error);
  });
  // After the last newline there is nothing, or a line that a killed run did not finish.
  return text.split('\n').slice(0, -1);
}

function parseRow(line: string, path: string, number: number): MetricsRow {
  try {
    return rowSchema.parse(JSON.parse(line));
  } catch {
    throw new UserError(
      `${path}, line ${number}: this is not a JSON object of numbers with a step; remove the line.`,
    );
  }
}
