/**
 * The metrics of a run as JSON lines: one object a line, in the order of steps. Other tools can read
 * the file while the run goes on.
 */
import { readFile } from 'node:fs/promises';
import { UserError } from '@gpn/runtime';
import { z } from 'zod';
import { openToAppend } from './append.js';
import { fileError, writeFileAtomic } from './atomic.js';

/** A line: the step after which it was measured (from 1), and the measured values by name. */
export interface MetricsRow {
  step: number;
  [measure: string]: number;
}

/** An open log. */
export interface MetricsLog {
  /** Appends a line. It is on disk when this returns, so a killed process loses nothing. */
  append(row: MetricsRow): void;
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
 * Opens the log of a run. A resumed run keeps the lines up to its checkpoint's step unchanged and
 * drops the later ones, which it writes again. The final log equals that of an uninterrupted run.
 *
 * @param keepThrough the checkpoint's step; 0 for a new run, whose log starts empty
 * @throws UserError when the file cannot be written, or a line to be kept is broken
 */
export async function openMetricsLog(path: string, keepThrough = 0): Promise<MetricsLog> {
  const lines = keepThrough > 0 ? await readLines(path) : [];
  const kept = lines.filter(({ row }) => row.step <= keepThrough);
  await writeFileAtomic(path, kept.map(({ text }) => `${text}\n`).join(''));
  const file = openToAppend(path);
  return {
    append: (row) => file.append(Buffer.from(`${JSON.stringify(row)}\n`)),
    close: () => file.close(),
  };
}

/**
 * Reads the rows of a log; the run may still be going on.
 *
 * @throws UserError when the file cannot be read, or naming the line that is broken
 */
export async function readMetricsLog(path: string): Promise<MetricsRow[]> {
  return (await readLines(path)).map(({ row }) => row);
}

async function readLines(path: string): Promise<{ text: string; row: MetricsRow }[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw fileError('read', path, error);
  });
  // After the last newline there is nothing, or a line that a killed run did not finish.
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, index) => ({ text: line, row: parseRow(line, path, index + 1) }));
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
