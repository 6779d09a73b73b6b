/** The start of a training. All inputs are checked before anything is written. */
import { join } from 'node:path';
import { stream, UserError } from '@gpn/runtime';
import {
  type Checkpoint,
  latestCheckpoint,
  type Progress,
  readCheckpoint,
} from '../checkpoint/checkpoint.js';
import { shareImages } from '../data/images.js';
import { loadDataset } from '../data/sets/dataset.js';
import type { Dataset } from '../data/types.js';
import type { State } from '../engine/types.js';
import { ganOf } from '../recipe/gan.js';
import { recipeHash } from '../recipe/load.js';
import type { Recipe } from '../recipe/schema.js';
import { startingState } from '../steps/state.js';
import { endOf, type Part, partsOf, startProgress } from './progress.js';
import type { TrainEvent, TrainOptions } from './types.js';

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
}

/** The sub-folders of a run's folder. */
export const foldersOf = (out: string) => ({
  checkpoints: join(out, 'checkpoints'),
  samples: join(out, 'samples'),
});

/** Loads the data and the newest checkpoint. @throws UserError if either cannot be used */
export async function startOf(recipe: Recipe, options: TrainOptions): Promise<Start> {
  const { out, on = () => {} } = options;
  const resumed = await findStart(recipe, foldersOf(out).checkpoints, options);
  const dataset = await loadData(recipe, on);
  const gan = ganOf(recipe);
  const parts = partsOf(gan.phases, dataset);
  const steps = parts.at(-1)?.to ?? 0;
  const progress = resumed?.progress ?? startProgress(recipe, dataset);
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
  const random = stream(recipe.training.seed, 'initialization');
  const state = resumed?.state ?? startingState(gan.state, recipe.model.initialization, random);
  const end = endOf(parts, progress.step, options);
  const left = parts.filter(({ to }) => to > progress.step && to <= end);
  return { dataset, left, end, steps, progress, state, ...(resumed && { resumed: resumed.path }) };
}

/** The checkpoint to continue from. Refuses to overwrite a run without `resume`. */
async function findStart(
  recipe: Recipe,
  folder: string,
  { out, resume, stage }: TrainOptions,
): Promise<(Checkpoint & { path: string }) | undefined> {
  const path = await latestCheckpoint(folder);
  if (!path) return undefined;
  if (!resume && stage !== 'generator') {
    throw new UserError(
      `${out} holds a run already: give --resume to continue it, or another --out.`,
    );
  }
  const found = await readCheckpoint(path);
  // If the networks take turns, the number of steps determines what each step trains.
  const fixed = recipe.training.method === 'predictive';
  const comparable = (r: Recipe): string =>
    recipeHash(
      fixed ? r : { ...r, training: { ...r.training, epochs: undefined, steps: undefined } },
    );
  if (comparable(found.recipe) !== comparable(recipe)) {
    const may = fixed ? 'they' : 'only the number of epochs or steps';
    throw new UserError(
      `${out} was started with other settings (see its recipe.yml); ${may} ${fixed ? 'cannot' : 'may'} change on --resume.`,
    );
  }
  return { ...found, path };
}

async function loadData({ data }: Recipe, on: (event: TrainEvent) => void): Promise<Dataset> {
  const { dataset, height, width, channels, classes } = data;
  const loaded = await loadDataset(dataset, {
    height,
    width,
    channels,
    ...(classes && { classes }),
    onProgress: (done, total) => on({ type: 'data', done, total }),
  });
  return shareImages(loaded);
}
