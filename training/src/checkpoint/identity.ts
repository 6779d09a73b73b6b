/** The identity of a run in its folder, so that the files of different trainings are not mixed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { exists, fileError, writeFileAtomic } from '../files/atomic.js';
import { identityOf } from '../recipe/hash.js';
import type { Recipe } from '../recipe/schema.js';
import { recipeToYaml } from '../recipe/yaml.js';
import type { Checkpoint } from './checkpoint.js';

const LINE = /^# Run ([0-9a-f]+): /;

/** The path of the recipe in a run's folder. */
const recipeIn = (out: string): string => join(out, 'recipe.yml');

/** The identity of the run that a checkpoint belongs to. */
export const runOf = ({ recipe, progress }: Pick<Checkpoint, 'recipe' | 'progress'>): string =>
  identityOf(recipe, progress.dataset.hash);

/** Writes `recipe.yml`, with the identity of the run in a comment. */
export const writeRecipe = (out: string, recipe: Recipe, dataHash: string): Promise<void> =>
  writeFileAtomic(
    recipeIn(out),
    `# Run ${identityOf(recipe, dataHash)}: its settings and data; the files beside this one belong to it.\n${recipeToYaml(recipe)}`,
  );

/**
 * Checks that a checkpoint belongs to the run whose folder it is in. Folders of version 0.2.0 and before
 * do not say whose they are.
 * @throws UserError if it belongs to another
 */
export async function checkIdentity(
  out: string,
  checkpoint: Checkpoint,
  path: string,
): Promise<void> {
  const file = recipeIn(out);
  if (!(await exists(file))) return;
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fileError('read', file, error);
  });
  const identity = LINE.exec(text)?.[1];
  if (identity === undefined || identity === runOf(checkpoint)) return;
  throw new UserError(
    `${out} holds files of different trainings: ${path} is of run ${runOf(checkpoint)}, ${file} of run ${identity}; put back the files that belong together, or start again in another --out.`,
  );
}
