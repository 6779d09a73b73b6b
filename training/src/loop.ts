import { join } from 'node:path';
import { Generator, type OpenOptions, stream, UserError } from '@gpn/runtime';
import { ensureWritableFolder, writeFileAtomic } from './atomic.js';
import {
  type Checkpoint,
  latestCheckpoint,
  readCheckpoint,
  stepName,
  writeCheckpoint,
} from './checkpoint.js';
import { type Dataset, loadDataset } from './data/dataset.js';
import { ENGINES, type EngineName } from './engines.js';
import { ganOf } from './gan.js';
import { type Phase, startingState } from './methods/method.js';
import { lossCurves } from './plot.js';
import { advance, enter, partsOf, ratesOf, startProgress } from './progress.js';
import { openProgressLog, readProgressLog } from './progress-log.js';
import type { Recipe } from './recipe.js';
import { recipeHash, recipeToYaml } from './recipes.js';
import { exportNetwork, type Role } from './run-export.js';

export interface TrainOptions {
  /** The run's folder; made if need be. */
  readonly out: string;
  readonly device?: OpenOptions['device'];
  /** What runs the steps; `onnx` unless given. */
  readonly engine?: EngineName;
  readonly threads?: number;
  /** Go on from the folder's newest checkpoint, or start if there is none. */
  readonly resume?: boolean;
  /** Ends the training after the step in progress, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly on?: (event: TrainEvent) => void;
}

/** What a step measured, by name: the networks' losses before all. */
export type Losses = Readonly<Record<string, number>>;

export type TrainEvent =
  | { type: 'data'; done: number; total: number }
  | {
      type: 'start';
      /** A training has one phase or more; each starts anew. */
      phase: string;
      step: number;
      steps: number;
      epochs: number;
      images: number;
      device: string;
      reason: string;
      out: string;
    }
  | {
      type: 'step';
      step: number;
      steps: number;
      epoch: number;
      imagesPerSecond: number;
      losses: Losses;
    }
  | { type: 'sample'; path: string; step: number }
  | { type: 'checkpoint'; path: string; step: number };

export interface TrainResult {
  readonly type: 'done' | 'interrupted';
  readonly step: number;
  readonly steps: number;
  /** Of this call, training alone. */
  readonly seconds: number;
  readonly out: string;
  readonly checkpoint: string;
  /** Paths of the exported networks, once all steps are done. */
  readonly generator?: string;
  readonly discriminator?: string;
}

/**
 * Trains a GAN by its recipe, from the data to two .onnx files, all in one folder:
 * recipe.yml, metrics.jsonl, losses.svg, samples/, checkpoints/, generator.onnx and
 * discriminator.onnx. A run that is stopped anywhere and resumed ends with the same bytes in its
 * checkpoint as one that is not, on the same device with the same number of threads.
 * @throws UserError if the folder, the data or a checkpoint cannot be used, or the losses diverge
 */
export async function train(recipe: Recipe, options: TrainOptions): Promise<TrainResult> {
  const { out, on = () => {} } = options;
  const { training, output } = recipe;
  const folders = { checkpoints: join(out, 'checkpoints'), samples: join(out, 'samples') };
  const resumed = await findStart(recipe, folders.checkpoints, options);
  // Before anything is written: a mistake in the data leaves nothing behind.
  const dataset = await loadData(recipe, on);
  const gan = ganOf(recipe);
  const parts = partsOf(gan.phases, dataset);
  const steps = parts.at(-1)?.to ?? 0;
  let progress = resumed?.progress ?? startProgress(recipe, dataset);
  if (progress.dataset.hash !== dataset.hash) {
    throw new UserError(
      `${out} was trained on other data than ${dataset.name} as it is now; a run goes on with the data it began with.`,
    );
  }
  if (progress.step > steps) {
    throw new UserError(
      `${out} has ${progress.step} steps done, more than the ${steps} asked for.`,
    );
  }
  let state =
    resumed?.state ??
    startingState(gan.state, recipe.model.initialization, stream(training.seed, 'initialization'));

  const open = (phase: Phase) =>
    ENGINES[options.engine ?? 'onnx'](phase.step, phase.inputs, {
      device: options.device ?? 'auto',
      ...(options.threads && { threads: options.threads }),
      name: `${recipe.name} training step`,
    });
  const left = parts.filter(({ to }) => to > progress.step);
  // Before anything is written, like the data: a device may not be there.
  let ready = left[0] && (await open(left[0].phase));
  for (const folder of [out, folders.checkpoints, folders.samples])
    await ensureWritableFolder(folder);
  await writeFileAtomic(join(out, 'recipe.yml'), recipeToYaml(recipe));
  const metrics = join(out, 'metrics.jsonl');
  const log = await openProgressLog(metrics, progress.step);

  const checkpoint = (): Checkpoint => ({ state, progress, recipe });
  const save = async (): Promise<string> => {
    const path = await writeCheckpoint(folders.checkpoints, checkpoint());
    on({ type: 'checkpoint', path, step: progress.step });
    return path;
  };
  const draw = async (): Promise<void> => {
    const path = join(folders.samples, `${stepName(progress.step)}.png`);
    await drawSamples(path, checkpoint());
    on({ type: 'sample', path, step: progress.step });
  };

  const begun = performance.now();
  const speed = speedometer(training.batch_size);
  let saved = resumed?.path;
  let stopped = false;
  try {
    for (const part of left) {
      if (stopped) break;
      const { phase, data, from, to } = part;
      const step = ready ?? (await open(phase));
      ready = undefined;
      try {
        step.load(state);
        if (progress.step === from) progress = enter(progress, phase);
        const { device, reason } = step;
        const about = { steps, epochs: steps / data.stepsPerEpoch, images: dataset.count };
        on({
          type: 'start',
          phase: phase.name,
          step: progress.step,
          ...about,
          device,
          reason,
          out,
        });
        while (progress.step < to && !stopped) {
          const k = progress.step - from;
          const losses = await step.run({ ...data.feeds(k), ...ratesOf(progress) });
          if (!Object.values(losses).every(Number.isFinite)) {
            throw new UserError(diverged(progress.step + 1, saved));
          }
          const epoch = Math.floor(k / data.stepsPerEpoch);
          progress = advance(progress, losses, part, recipe);
          log.append({ step: progress.step, epoch, ...losses });
          on({ type: 'step', step: progress.step, steps, epoch, imagesPerSecond: speed(), losses });
          stopped = options.signal?.aborted ?? false;
          const last = progress.step === steps;
          const drawing = progress.step % output.samples_every === 0 || last;
          const saving = progress.step % output.checkpoint_every === 0 || last || stopped;
          if (drawing || saving || progress.step === to) state = { ...state, ...step.state() };
          if (drawing) await draw();
          if (saving) saved = await save();
        }
      } finally {
        await step.dispose();
      }
    }
    saved ??= await save();
    await writeFileAtomic(
      join(out, 'losses.svg'),
      await lossCurves(await readProgressLog(metrics), { title: recipe.name }),
    );
    const seconds = (performance.now() - begun) / 1000;
    const result = { step: progress.step, steps, seconds, out, checkpoint: saved };
    if (progress.step < steps) return { type: 'interrupted', ...result };
    const files = await exportBoth(out, checkpoint());
    return { type: 'done', ...result, ...files };
  } finally {
    log.close();
  }
}

/** The checkpoint to go on from; refuses to write over a run that was not asked to go on. */
async function findStart(
  recipe: Recipe,
  folder: string,
  { out, resume }: TrainOptions,
): Promise<(Checkpoint & { path: string }) | undefined> {
  const path = await latestCheckpoint(folder);
  if (!path) return undefined;
  if (!resume) {
    throw new UserError(
      `${out} holds a run already: give --resume to go on with it, or another --out.`,
    );
  }
  const found = await readCheckpoint(path);
  const comparable = (r: Recipe): string =>
    recipeHash({ ...r, training: { ...r.training, epochs: undefined, steps: undefined } });
  if (comparable(found.recipe) !== comparable(recipe)) {
    throw new UserError(
      `${out} was begun with other settings (see its recipe.yml); only the number of epochs or steps may change on --resume.`,
    );
  }
  return { ...found, path };
}

function loadData({ data }: Recipe, on: (event: TrainEvent) => void): Promise<Dataset> {
  const { dataset, height, width, channels, classes } = data;
  return loadDataset(dataset, {
    height,
    width,
    channels,
    ...(classes && { classes }),
    onProgress: (done, total) => on({ type: 'data', done, total }),
  });
}

/** Images of fixed latents, drawn by the very file that an export would give. */
async function drawSamples(path: string, checkpoint: Checkpoint): Promise<void> {
  const { bytes } = await exportNetwork(checkpoint, 'generator');
  const generator = await Generator.load(bytes, { device: 'cpu' });
  try {
    const { sample_count: count } = checkpoint.recipe.output;
    const images = await generator.sample({ count, seed: checkpoint.progress.seed });
    await writeFileAtomic(path, await images.toPNG());
  } finally {
    await generator.dispose();
  }
}

async function exportBoth(out: string, checkpoint: Checkpoint): Promise<Record<Role, string>> {
  const files = {
    generator: join(out, 'generator.onnx'),
    discriminator: join(out, 'discriminator.onnx'),
  };
  for (const role of ['generator', 'discriminator'] as const) {
    const { bytes } = await exportNetwork(checkpoint, role);
    await writeFileAtomic(files[role], bytes);
  }
  return files;
}

const diverged = (step: number, saved: string | undefined): string =>
  `The losses are no longer numbers at step ${step}: the training has diverged. Lower the learning rates` +
  `${saved ? `; the last good checkpoint is ${saved}` : ''}.`;

/** Images a second over the last moments. */
function speedometer(batchSize: number): () => number {
  const times: number[] = [performance.now()];
  return () => {
    times.push(performance.now());
    if (times.length > 50) times.shift();
    const seconds = ((times.at(-1) as number) - (times[0] as number)) / 1000;
    return ((times.length - 1) * batchSize) / seconds;
  };
}
