/** What identifies a recipe and a run, under Node and in pages. */
import { digest } from '@gpn/runtime/write';
import type { Recipe } from './schema.js';

const hashed = (text: string): string => digest(new TextEncoder().encode(text));

/** The last part of a path, as the system that wrote it separates them. */
export const nameOf = (path: string): string =>
  path
    .split(/[/\\]+/)
    .filter(Boolean)
    .at(-1) ?? path;

/**
 * SHA-256, in hex, of everything that determines the result of a training: `data`, `model` and
 * `training` as JSON with sorted keys. Name, description, `output` and the location of the data are
 * left out; a data set has its own hash. The settings of the evaluation are included if
 * `on_collapse` is `rollback`, because they then affect the training; of a judge, the name of its file.
 */
export function recipeHash({ data, model, training, output }: Recipe): string {
  const { dataset: _, ...rest } = data;
  const { evaluate_every, evaluate_samples, evaluate_with, on_collapse } = output;
  const judge = evaluate_with && nameOf(evaluate_with);
  const rollback =
    on_collapse === 'rollback' ? { evaluate_every, evaluate_samples, judge } : undefined;
  // A file is known by its content, wherever it lies.
  const networks = {
    ...model,
    ...(model.network_sha256 && { network: undefined }),
    ...(model.from_sha256 && { from: undefined }),
  };
  const settings = { data: rest, model: networks, training, rollback };
  const json = JSON.stringify(settings, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return hashed(json);
}

/**
 * Why the length of a training determines what its steps do; undefined if it does not, so that it can
 * change while the training goes on.
 */
export function lengthMatters({ training: { method, schedule } }: Recipe): string | undefined {
  if (method === 'predictive') return 'the networks take turns';
  const follows = schedule?.type === 'cosine' && schedule.steps === undefined;
  return follows ? 'the cosine of its schedule has no steps of its own' : undefined;
}

/** SHA-256, in hex, of the settings that cannot change while a training goes on. */
export function settingsHash(recipe: Recipe): string {
  if (lengthMatters(recipe)) return recipeHash(recipe);
  return recipeHash({
    ...recipe,
    training: { ...recipe.training, epochs: undefined, steps: undefined },
  });
}

/**
 * The identity of a run, in hex: trainings with the same one write the same bytes, as far as they go.
 * @param dataHash that of the data set
 */
export const identityOf = (recipe: Recipe, dataHash: string): string =>
  hashed(`${settingsHash(recipe)} ${dataHash}`).slice(0, 16);
