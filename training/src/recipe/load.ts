/** Finds and loads recipes: those of this package, and the user's files. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '@gpn/runtime';
import { isNamed } from '../data/sets/names.js';
import { fileError } from '../files/atomic.js';
import { checkRecipe } from './check.js';
import { closestName } from './closest-name.js';
import { dotted } from './errors.js';
import { locateModel } from './own/from.js';
import type { Recipe } from './schema.js';
import { parseRecipe } from './yaml.js';

const FOLDER = fileURLToPath(new URL('../../recipes/', import.meta.url));

/** The names of the bundled recipes, sorted. */
export const recipeNames = (): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.yml'))
    .map((file) => basename(file, '.yml'))
    .sort();

/** Values that replace those of a recipe. */
export interface RecipeOverrides {
  /** `mnist`, `fashion`, or a folder, relative to the working directory. */
  dataset?: string;
  epochs?: number;
  /** Replaces `epochs`; only one of the two may be given. */
  steps?: number;
  batchSize?: number;
  seed?: number;
  /** Bundled networks, those that the program defined, or a file, relative to the working directory. */
  network?: string;
  /** A bundled detector, or the file of one, relative to the working directory. */
  from?: string;
}

/** The command line option that sets each key, for errors. */
const OPTIONS: Record<string, string> = {
  'data.dataset': '--data',
  'training.epochs': '--epochs',
  'training.steps': '--steps',
  'training.batch_size': '--batch-size',
  'training.seed': '--seed',
  'model.from': '--from',
};

/**
 * Loads a recipe and applies overrides. A folder in `data.dataset` becomes an absolute path; in a file
 * it is relative to that file.
 *
 * @param nameOrPath the name of a bundled recipe, or the path of a YAML file
 * @throws UserError if there is no such recipe, or a key of it or an override is wrong
 */
export function resolveRecipe(nameOrPath: string, overrides: RecipeOverrides = {}): Recipe {
  const isPath = /\.ya?ml$|[/\\]/.test(nameOrPath);
  if (!isPath && !recipeNames().includes(nameOrPath)) throw unknownRecipe(nameOrPath);
  const path = isPath ? nameOrPath : join(FOLDER, `${nameOrPath}.yml`);
  return overrideRecipe(located(readRecipe(path), isPath ? dirname(path) : '.'), overrides);
}

/** A recipe with the paths of its data and its judge made whole; they are relative to `base`. */
export const located = (recipe: Recipe, base: string): Recipe => ({
  ...recipe,
  data: { ...recipe.data, dataset: locateData(base, recipe.data.dataset) },
  output: locateJudge(base, recipe.output),
});

function unknownRecipe(name: string): UserError {
  const near = closestName(name, recipeNames());
  return new UserError(
    `There is no recipe ${name}${near === undefined ? '' : ` (did you mean ${near}?)`}; ` +
      `the recipes are ${recipeNames().join(', ')}, or give the path of a YAML file.`,
  );
}

const readRecipe = (path: string): Recipe => parseRecipe(textOf(path), path);

/** The text of a file. @throws UserError if it cannot be read */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError('read', path, error);
  }
}

/** A judge that is a file, and not `sliced` or the name of a bundled one, by its absolute path. */
const locateJudge = (base: string, { evaluate_with: judge, ...output }: Recipe['output']) => ({
  ...output,
  ...(judge && { evaluate_with: locateModel(base, judge) }),
});

/** A data set that is a folder by its absolute path; a name stays. */
export const locateData = (base: string, dataset: string): string =>
  isNamed(dataset) ? dataset : resolve(base, dataset);

/**
 * A recipe with some of its values replaced.
 * @throws UserError that names the option whose value does not fit
 */
export function overrideRecipe(recipe: Recipe, overrides: RecipeOverrides): Recipe {
  const { dataset, epochs, steps, batchSize, seed, network, from } = overrides;
  if (epochs !== undefined && steps !== undefined) {
    throw new UserError('Give one of --epochs and --steps, not both.');
  }
  const data = { ...recipe.data };
  const training = { ...recipe.training };
  if (dataset !== undefined) data.dataset = locateData('.', dataset);
  if (epochs !== undefined) Object.assign(training, { epochs, steps: undefined });
  if (steps !== undefined) Object.assign(training, { steps, epochs: undefined });
  if (batchSize !== undefined) training.batch_size = batchSize;
  if (seed !== undefined) training.seed = seed;
  const model = { ...recipe.model };
  if (network !== undefined) Object.assign(model, { network, network_sha256: undefined });
  if (from !== undefined) Object.assign(model, { from, from_sha256: undefined });
  return checkRecipe(
    { ...recipe, data, model, training },
    (path) => OPTIONS[dotted(path)] ?? dotted(path),
  );
}
