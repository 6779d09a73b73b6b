/** Sweeps: one base recipe, changes of it, and seeds, as a list of trainings. */
import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { UserError } from '@gpn/runtime';
import * as z from 'zod';
import { checkRecipe } from '../check.js';
import { dotted, expectation, recipeProblem } from '../errors.js';
import { recipeHash } from '../hash.js';
import { count, whole } from '../keys/values.js';
import { locateData, located, resolveRecipe, textOf } from '../load.js';
import { locateModel } from '../own/from.js';
import type { Recipe } from '../schema.js';
import { readYaml } from '../yaml.js';
import { type Search, searchSchema } from './search.js';
import { type Changes, type Setting, settingsOf, slipsOf } from './settings.js';

const NAME = { error: 'made of at most 64 letters, digits, dots, dashes and underscores' };
const SEEDS = { error: 'a number of seeds, or a list of different ones' };

/** The path of a key. */
const PATH = z
  .string()
  .max(200)
  .regex(/^[^.]+(\.[^.]+)*$/);

const changes = z
  .record(PATH, z.unknown())
  .describe('Keys of the recipe by their paths, such as `training.r1`; null leaves one out.');

const MEASURE = z.string().min(1).max(64);

/** The schema of a sweep. Paths are relative to its file. */
const sweepSchema = z
  .strictObject({
    recipe: z
      .string()
      .min(1)
      .max(4096)
      .describe('The recipe that all trainings begin with: a bundled one, or a file.'),
    grid: z
      .record(PATH, z.array(z.unknown()).min(1).max(1000))
      .optional()
      .describe('Values by the path of a key: every combination is trained.'),
    runs: z
      .array(
        z.strictObject({
          name: z
            .string()
            .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, NAME)
            .describe('What tables call it.'),
          set: changes.optional(),
        }),
      )
      .min(1)
      .max(1000)
      .optional()
      .describe('Changes with names; each with every combination of the grid.'),
    search: searchSchema
      .optional()
      .describe('Distributions of keys that Optuna draws from, in place of a grid or runs.'),
    seeds: z
      .union([count.max(1000), z.array(whole.min(0)).min(1).max(1000)], SEEDS)
      .refine((seeds) => !Array.isArray(seeds) || new Set(seeds).size === seeds.length, SEEDS)
      .default(1)
      .describe('How many seeds, from 0, or which ones; 1 unless given.'),
    steps: count
      .optional()
      .describe('Training steps of every run, instead of those of the recipe.'),
    minutes: z
      .number()
      .gt(0)
      .max(525_600)
      .optional()
      .describe('Minutes of every run; how many steps those are depends on the machine.'),
    threads: whole
      .min(1)
      .max(1024)
      .default(1)
      .describe('Threads of every run, which affect how sums are rounded; 1 unless given.'),
    evaluate: z
      .strictObject({
        data: z.string().min(1).max(4096).optional(),
        classes: z
          .array(z.union([z.string(), whole]))
          .min(1)
          .optional(),
        samples: whole.min(4).max(1_000_000).optional(),
        seeds: whole.min(1).max(100).optional(),
        features: z.string().min(1).max(4096).optional(),
        sliced: z.literal(true, { error: 'true, or left out' }).optional(),
      })
      .default({})
      .describe('The options of `gpn-cli eval`; the data are those of the recipe unless given.'),
    show: z
      .array(MEASURE)
      .min(1)
      .max(20)
      .optional()
      .describe('The measures of the table, the first of them also of the picture.'),
  })
  .refine(({ steps, minutes }) => steps === undefined || minutes === undefined, {
    error: 'left out with steps',
    path: ['minutes'],
  })
  .refine(({ search, grid }) => !search || !grid, {
    error: 'left out with search',
    path: ['grid'],
  })
  .refine(({ search, runs }) => !search || !runs, {
    error: 'left out with search',
    path: ['runs'],
  })
  .superRefine((sweep, context) => {
    for (const slip of slipsOf(sweep)) context.addIssue({ code: 'custom', input: {}, ...slip });
  });

/** A checked sweep, as it is written. */
export type Sweep = z.infer<typeof sweepSchema>;

/** One training of a sweep. */
export interface SweepRow {
  /** Unique, and fit for the name of a file: `NAME-seed0`. */
  readonly name: string;
  /** The name of its changes, which all its seeds share. */
  readonly setting: string;
  readonly changes: Changes;
  readonly seed: number;
  /** Of all that determines its result; no paths of this machine. */
  readonly key: string;
  /** The recipe, or why there is none: a sentence. */
  readonly recipe: Recipe | string;
}

/** A sweep, the folder that its paths are relative to, its recipe, and its rows; a search has none yet. */
export interface ReadSweep {
  readonly sweep: Sweep;
  readonly base: string;
  readonly recipe: Recipe;
  readonly rows: SweepRow[];
}

/** Reads a sweep. @throws UserError naming the file, the line, the key and what is expected there */
export function readSweep(file: string): ReadSweep {
  const { value, place } = readYaml(textOf(file), file, 'sweep');
  const { data, error } = sweepSchema.safeParse(value, { error: expectation, reportInput: true });
  if (error) throw new UserError(recipeProblem(error.issues, place, sweepSchema));
  const base = dirname(file);
  const isPath = /\.ya?ml$|[/\\]/.test(data.recipe);
  const recipe = resolveRecipe(isPath ? resolve(base, data.recipe) : data.recipe);
  const rows = data.search ? [] : rowsOf(data, recipe, base);
  return { sweep: data, base, recipe, rows };
}

/**
 * The trainings of a sweep: for each named change, each combination of the grid and each seed. The
 * seeds are the innermost, so that a sweep that is stopped has whole settings.
 *
 * @param base the folder that paths of changes are relative to
 */
export const rowsOf = (sweep: Sweep, recipe: Recipe, base: string): SweepRow[] =>
  settingsOf(sweep, recipe.name).flatMap((setting) => rowsOfSetting(sweep, recipe, base, setting));

/** The trainings of one setting: one for each seed. */
export const rowsOfSetting = (
  sweep: Sweep,
  recipe: Recipe,
  base: string,
  { name: setting, changes }: Setting,
): SweepRow[] =>
  seedsOf(sweep).map((seed) => {
    const made = attempt(() => changed(recipe, changes, { ...sweep, seed }, base));
    return {
      name: `${setting}-seed${seed}`,
      setting,
      changes,
      seed,
      key: keyOf(sweep, changes, seed, made),
      recipe: made,
    };
  });

const seedsOf = ({ seeds }: Sweep): number[] =>
  Array.isArray(seeds) ? seeds : Array.from({ length: seeds }, (_, seed) => seed);

/** SHA-256, in hex, of all that determines the result of a search but the number of its trials. */
export function searchKey(sweep: Sweep, search: Search, recipe: Recipe): string {
  const { evaluate, threads, minutes, steps } = sweep;
  const space = { ...search, trials: undefined };
  const rest = { seeds: seedsOf(sweep), recipe: recipeHash(recipe) };
  const all = { evaluate, threads, minutes, steps, space, ...rest };
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}

function attempt(make: () => Recipe): Recipe | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/** The recipe with changes, a seed and a length. @throws UserError as `resolveRecipe` does */
function changed(
  recipe: Recipe,
  changes: Changes,
  { steps, seed }: { steps?: number | undefined; seed: number },
  base: string,
): Recipe {
  if ('training.seed' in changes) {
    throw new UserError('training.seed must be left out: the seeds of a sweep are its key seeds.');
  }
  const length = steps === undefined ? {} : { 'training.steps': steps };
  const all = Object.entries({ ...length, ...changes, 'training.seed': seed });
  const value = all.reduce<unknown>((group, [path, to]) => {
    const other = EITHER[path];
    const alone = other && to !== null ? replaced(group, other.split('.'), null) : group;
    return replaced(alone, path.split('.'), to);
  }, recipe);
  // A relative path in a change is one from the sweep's file; the others are whole already.
  return located(checkRecipe(value, dotted, base), base);
}

/** A key that takes the place of another. */
const EITHER: Readonly<Record<string, string>> = {
  'training.steps': 'training.epochs',
  'training.epochs': 'training.steps',
  // Of the file that was named before.
  'model.network': 'model.network_sha256',
  'model.from': 'model.from_sha256',
};

/** A group of keys with another value at a path; without the key, if the value is null. */
function replaced(group: unknown, [key = '', ...rest]: readonly string[], to: unknown): unknown {
  const known = typeof group === 'object' && group !== null && !Array.isArray(group) ? group : {};
  const { [key]: before, ...others } = known as Record<string, unknown>;
  if (rest.length === 0 && to === null) return others;
  return { ...known, [key]: rest.length > 0 ? replaced(before, rest, to) : to };
}

/** SHA-256, in hex, of all that determines the result of a row, with paths as they are written. */
function keyOf(
  { evaluate, threads, minutes }: Sweep,
  changes: Changes,
  seed: number,
  recipe: Recipe | string,
): string {
  const hash = typeof recipe === 'string' ? undefined : recipeHash(recipe);
  const all = { evaluate, threads, minutes, changes, seed, recipe: hash };
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}

/** The options of `gpn-cli eval` for a row. */
export function evaluationOf(
  { evaluate: { data, classes, features, ...rest } }: Sweep,
  recipe: Recipe,
  base: string,
) {
  const only = classes ?? recipe.data.classes;
  return {
    ...rest,
    data: data === undefined ? recipe.data.dataset : locateData(base, data),
    ...(only && { classes: only.map(String) }),
    ...(features !== undefined && { features: locateModel(base, features) }),
  };
}
