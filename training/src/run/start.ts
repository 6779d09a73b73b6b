/** The start of a training. All inputs are checked before anything is written. */
import { dirname, join, resolve } from 'node:path';
import { stream, UserError } from '@gpn/runtime';
import {
  bestCheckpoint,
  type Checkpoint,
  type Found,
  hasCheckpoints,
  newestCheckpoint,
  type Progress,
  readCheckpoint,
} from '../checkpoint/checkpoint.js';
import { checkIdentity, runOf } from '../checkpoint/identity.js';
import { shareImages } from '../data/images.js';
import { loadDataset } from '../data/sets/dataset.js';
import type { Dataset } from '../data/types.js';
import type { State } from '../engine/types.js';
import { startFrom } from '../export/from-file.js';
import { linesUpTo } from '../files/metrics-log.js';
import { ganOf } from '../recipe/gan.js';
import { lengthMatters, settingsHash } from '../recipe/hash.js';
import { preparationOf } from '../recipe/keys/common.js';
import type { Recipe } from '../recipe/schema.js';
import { type StateSpecs, startingState } from '../steps/state.js';
import { endOf, type Part, partsOf, rescaled, startProgress } from './progress.js';
import { foreignLog, noBest, skipped, without } from './sentences.js';
import type { TrainOptions } from './types.js';

/** All that a training starts with. */
export interface Start {
  readonly dataset: Dataset;
  /** The parts that this call of `train` still has to run. */
  readonly left: readonly Part[];
  /** The last step of this call, and of the whole training. */
  readonly end: number;
  readonly steps: number;
  readonly progress: Progress;
  readonly state: State;
  /** The path of the checkpoint that the training continues from. */
  readonly resumed?: string;
  /** The lines of the metrics log up to there. */
  readonly lines: readonly string[];
}

/** The log and the sub-folders of a run's folder. */
export const metricsOf = (out: string): string => join(out, 'metrics.jsonl');
/** The folder of decoded pictures, which the runs beside one another share. */
export const cacheOf = (out: string): string => join(dirname(resolve(out)), '.gpn-cache');
export const foldersOf = (out: string) => ({
  checkpoints: join(out, 'checkpoints'),
  samples: join(out, 'samples'),
});

/**
 * Loads the data and the newest checkpoint.
 * @throws UserError if either cannot be used; the signal's reason if it is aborted
 */
export async function startOf(recipe: Recipe, options: TrainOptions): Promise<Start> {
  const { out } = options;
  const resumed = await findStart(recipe, options);
  const dataset = await loadData(recipe, options);
  const gan = ganOf(recipe);
  const parts = partsOf(gan.phases, dataset);
  const steps = parts.at(-1)?.to ?? 0;
  const before = resumed?.progress ?? startProgress(recipe, dataset);
  const { learningRateScale: factor } = options;
  const progress = factor ? rescaled(before, factor) : before;
  if (progress.dataset.hash !== dataset.hash) {
    throw new UserError(
      `${out} was trained on other data than ${dataset.name} is now; a run must continue with the data it started with.`,
    );
  }
  if (progress.step > steps) {
    throw new UserError(
      `${out} has ${progress.step} steps done, more than the requested ${steps}.`,
    );
  }
  const state = resumed?.state ?? (await firstState(recipe, gan.state, dataset));
  const end = endOf(parts, progress.step, options);
  const left = parts.filter(({ to }) => to > progress.step && to <= end);
  const { path, lines = [] } = resumed ?? {};
  return { dataset, left, end, steps, progress, state, lines, ...(path && { resumed: path }) };
}

/** The state before the first step: weights are drawn, or of the network that the recipe starts from. */
async function firstState(recipe: Recipe, specs: StateSpecs, dataset: Dataset): Promise<State> {
  const random = stream(recipe.training.seed, 'initialization');
  const drawn = startingState(specs, recipe.model.initialization, random);
  const progress = startProgress(recipe, dataset);
  return recipe.model.from === undefined ? drawn : startFrom({ recipe, progress, state: drawn });
}

interface Resumed extends Found {
  readonly lines: readonly string[];
}

/** The checkpoint to continue from. Refuses to overwrite a run without `resume`. */
async function findStart(recipe: Recipe, options: TrainOptions): Promise<Resumed | undefined> {
  const { out, resume, stage, on = () => {} } = options;
  const { checkpoints } = foldersOf(out);
  if (!(await hasCheckpoints(checkpoints))) return undefined;
  if (!resume && stage !== 'generator') {
    throw new UserError(
      `${out} holds a run already: give --resume to continue it, or another --out.`,
    );
  }
  const log = metricsOf(out);
  const linesOf = ({ progress, log: mark }: Checkpoint) => linesUpTo(log, progress.step, mark);
  // One that the log does not reach is as good as any, but an older one makes up for the lines.
  const found =
    (await newestCheckpoint(checkpoints, async (checkpoint, path) => {
      const { missing, foreign } = await linesOf(checkpoint);
      if (foreign) return foreignLog(log, path);
      return missing ? without(log, missing) : undefined;
    }).catch(() => undefined)) ?? (await newestCheckpoint(checkpoints));
  if (!found) return undefined;
  checkSettings(recipe, found, out);
  await checkIdentity(out, found, found.path);
  const { lines, missing, foreign } = await linesOf(found);
  if (foreign) throw new UserError(foreignLog(log, found.path));
  const note = (text: string) => on({ type: 'note', text });
  if (missing) note(without(log, missing));
  if (found.problems.length > 0) note(skipped(found.problems, found.path));
  return { ...(await withBest(found, checkpoints, note)), lines };
}

function checkSettings(recipe: Recipe, found: Checkpoint, out: string): void {
  if (settingsHash(found.recipe) === settingsHash(recipe)) return;
  const fixed = lengthMatters(recipe);
  const may = fixed
    ? `none can change on --resume, not even its length, because ${fixed}`
    : 'only the number of epochs or steps can change on --resume';
  throw new UserError(
    `${out} was started with other settings (see its recipe.yml); ${may} (learning rates: by --learning-rate-scale).`,
  );
}

/** Forgets the best evaluation if its checkpoint is not there, because a rollback would need it. */
async function withBest(
  found: Found,
  folder: string,
  note: (text: string) => void,
): Promise<Found> {
  const { watch, step } = found.progress;
  if (!watch?.best || watch.best.step === step) return found;
  const path = bestCheckpoint(folder);
  const best = await readCheckpoint(path).catch((error: unknown) => {
    if (error instanceof UserError) return undefined;
    throw error;
  });
  if (best?.progress.step === watch.best.step && runOf(best) === runOf(found)) return found;
  note(noBest(path, watch.best.step));
  return { ...found, progress: { ...found.progress, watch: { ...watch, best: null } } };
}

/** Loads the images of a recipe into memory that threads share. */
export async function loadData(
  { data }: Recipe,
  { out, signal, on = () => {} }: Pick<TrainOptions, 'out' | 'signal' | 'on'>,
): Promise<Dataset> {
  const { dataset, height, width, channels, classes, skip_unreadable: skipUnreadable } = data;
  const loaded = await loadDataset(dataset, {
    height,
    width,
    channels,
    preparation: preparationOf(data),
    crops: data.crops,
    heldOut: data.held_out,
    ...(classes && { classes }),
    skipUnreadable,
    cache: cacheOf(out),
    onNote: (text) => on({ type: 'note', text }),
    onProgress(done, total) {
      signal?.throwIfAborted();
      on({ type: 'data', done, total });
    },
  });
  return shareImages(loaded);
}
