/**
 * What a run measured, as JSON lines: one object a line, in order of their steps. Other tools read
 * it while the run goes on.
 */
import { readFile } from 'node:fs/promises';
import { UserError } from '@gpn/runtime';
import { z } from 'zod';
import { openToAppend } from './append.js';
import { fileError, writeFileAtomic } from './atomic.js';

/** The step, from 1, after which these were measured, and the measures by their names. */
export interface MetricsRow {
  step: number;
  [measure: string]: number;
}

export interface MetricsLog {
  /** Adds a line. It is written when this returns: nothing is lost when the process is killed. */
  append(row: MetricsRow): void;
  close(): void;
}

/** JSON has no NaN, which a diverging run measures: it is written, and read, as null. */
const rowSchema = z.object({ step: z.int().nonnegative() }).catchall(
  z
    .number()
    .nullable()
    .transform((value) => value ?? Number.NaN),
);

/**
 * Opens the log of a run. A run that goes on from a checkpoint keeps the lines up to its step,
 * untouched, and loses those after it, which it will write again: in the end the log equals that
 * of an unbroken run.
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
 * The rows of a log, of a run that may still go on.
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
  // What follows the last line's end is nothing, or a line that a killed run did not finish.
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, index) => ({ text: line, row: parseRow(line, path, index + 1) }));
}

function parseRow(line: string, path: string, number: number): MetricsRow {
  try {
    return rowSchema.parse(JSON.parse(line));
  } catch {
    throw new UserError(
      `${path}, line ${number}: this is no JSON object of numbers with a step; remove the line.`,
    );
  }
}
