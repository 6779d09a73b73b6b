/** What a sweep is going to do. */
import { basename, extname, join } from 'node:path';
import { readSweep, type Sweep, type SweepRow } from '@gpn/training';
import { checkShown, type Head } from './results.js';

/** A sweep, its rows, and the folder of its results. */
export interface Plan {
  readonly sweep: Sweep;
  /** The folder of its file. */
  readonly base: string;
  readonly rows: readonly SweepRow[];
  readonly head: Head;
  readonly out: string;
}

/** Reads a sweep and checks all of its rows. @throws UserError if the sweep itself is wrong */
export function planOf(file: string, out = join('sweeps', nameOf(file))): Plan {
  const { sweep, base, rows } = readSweep(file);
  checkShown(sweep.show);
  const plan = rows.map(({ recipe: _, ...row }) => row);
  const { recipe, show } = sweep;
  const head: Head = { version: 1, recipe, ...(show && { show }), plan };
  return { sweep, base, rows, head, out };
}

/** The name of a sweep: that of its file. */
export const nameOf = (file: string): string => basename(file, extname(file));
