/** What a sweep is going to do. */
import { availableParallelism } from 'node:os';
import { basename, extname, join } from 'node:path';
import { type ReadSweep, readSweep, type Sweep } from '@gpn/training';
import { ensureWritableFolder } from '@gpn/training/atomic';
import { checkShown, type Head } from './results.js';

/** A sweep, its rows, and the folder of its results. */
export interface Plan extends ReadSweep {
  readonly file: string;
  readonly head: Head;
  readonly out: string;
}

/** Reads a sweep and checks all of its rows. @throws UserError if the sweep itself is wrong */
export function planOf(file: string, out = join('sweeps', nameOf(file))): Plan {
  const read = readSweep(file);
  const { sweep, rows } = read;
  checkShown(sweep.show);
  const plan = rows.map(({ recipe: _, ...row }) => row);
  const { recipe, show } = sweep;
  const head: Head = { version: 1, recipe, ...(show && { show }), plan };
  return { ...read, file, head, out };
}

/** The name of a sweep: that of its file. */
export const nameOf = (file: string): string => basename(file, extname(file));

/** How many trainings run at the same time unless the user says so. */
export const roomFor = ({ threads }: Sweep): number =>
  Math.max(1, Math.floor(availableParallelism() / threads));

/** Made once, before: trainings that start together would make them at the same moment. */
export async function makeFolders(out: string): Promise<void> {
  for (const name of ['recipes', 'results', 'runs']) await ensureWritableFolder(join(out, name));
}
