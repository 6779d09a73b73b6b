import { join } from 'node:path';
import { Generator, type OpenOptions, stream, type TensorData, UserError } from '@gpn/runtime';
import { ensureWritableFolder, writeFileAtomic } from './atomic.js';
import {
  type Checkpoint,
  latestCheckpoint,
  type Progress,
  readCheckpoint,
  stepName,
  writeCheckpoint,
} from './checkpoint.js';
import { batches, gatherBatch } from './data/batches.js';
import { type Dataset, loadDataset } from './data/dataset.js';
import { ENGINES, type EngineName } from './engines.js';
import { ganOf } from './gan.js';
import { lossCurves } from './plot.js';
import { openProgressLog, readProgressLog } from './progress-log.js';
import type { Recipe } from './recipe.js';
import { recipeHash, recipeToYaml } from './recipes.js';
import { exportNetwork, type Role } from './run-export.js';
import { plateau, startSchedule } from './schedule.js';
import { startingState } from './state.js';

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

export type Losses = Readonly<Record<'generator' | 'discriminator', number>>;

export type TrainEvent =
  | { type: 'data'; done: number; total: number }
  | {
      type: 'start';
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
  const order = batches(training.seed, dataset.count, training.batch_size);
  const steps = training.steps ?? (training.epochs ?? 0) * order.stepsPerEpoch;
  const gan = ganOf(recipe);
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

  const step = await ENGINES[options.engine ?? 'onnx'](gan.step, gan.specs, {
    device: options.device ?? 'auto',
    ...(options.threads && { threads: options.threads }),
    name: `${recipe.name} training step`,
  });
  step.load(
    resumed?.state ??
      startingState(
        gan.pair,
        gan.optimizer,
        recipe.model.initialization,
        stream(training.seed, 'initialization'),
      ),
  );
  for (const folder of [out, folders.checkpoints, folders.samples])
    await ensureWritableFolder(folder);
  await writeFileAtomic(join(out, 'recipe.yml'), recipeToYaml(recipe));
  const metrics = join(out, 'metrics.jsonl');
  const log = await openProgressLog(metrics, progress.step);
  const { device, reason } = step;
  on({
    type: 'start',
    step: progress.step,
    steps,
    epochs: steps / order.stepsPerEpoch,
    images: dataset.count,
    device,
    reason,
    out,
  });

  const checkpoint = (): Checkpoint => ({ state: step.state(), progress, recipe });
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
    while (progress.step < steps && !stopped) {
      const losses = (await step.run({
        'batch/images': pixels(gatherBatch(dataset, order.indices(progress.step)), recipe),
        'noise/latents': drawLatents(recipe, progress.step),
        'hyper/generatorRate': scalar(progress.schedule.generator.rate),
        'hyper/discriminatorRate': scalar(progress.schedule.discriminator.rate),
      })) as Losses;
      if (!Number.isFinite(losses.generator + losses.discriminator)) {
        throw new UserError(diverged(progress.step + 1, saved));
      }
      const { epoch } = order.position(progress.step);
      progress = advance(progress, losses, order.stepsPerEpoch, recipe);
      log.append({ step: progress.step, epoch, ...losses });
      on({ type: 'step', step: progress.step, steps, epoch, imagesPerSecond: speed(), losses });
      stopped = options.signal?.aborted ?? false;
      const last = progress.step === steps;
      if (progress.step % output.samples_every === 0 || last) await draw();
      if (progress.step % output.checkpoint_every === 0 || last || stopped) saved = await save();
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
    await step.dispose();
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

function startProgress({ training }: Recipe, { name, hash, count }: Dataset): Progress {
  const { generator_lr, discriminator_lr } = training.optimizer;
  return {
    step: 0,
    seed: training.seed,
    random: 'threefry2x32-20',
    epoch: { steps: 0, generator: 0, discriminator: 0 },
    schedule: {
      generator: startSchedule(generator_lr),
      discriminator: startSchedule(discriminator_lr),
    },
    dataset: { name, hash, count },
  };
}

/** One step further; at the end of an epoch the schedule sees its mean losses. */
function advance(
  progress: Progress,
  losses: Losses,
  stepsPerEpoch: number,
  { training }: Recipe,
): Progress {
  const step = progress.step + 1;
  const epoch = {
    steps: progress.epoch.steps + 1,
    generator: progress.epoch.generator + losses.generator,
    discriminator: progress.epoch.discriminator + losses.discriminator,
  };
  if (step % stepsPerEpoch !== 0) return { ...progress, step, epoch };
  const rule = training.schedule;
  const next = (role: Role) => {
    const state = progress.schedule[role];
    return rule ? plateau(state, epoch[role] / epoch.steps, rule) : state;
  };
  return {
    ...progress,
    step,
    epoch: { steps: 0, generator: 0, discriminator: 0 },
    schedule: { generator: next('generator'), discriminator: next('discriminator') },
  };
}

/** The noise of a step is a function of seed and step, so that a resumed run draws the same. */
function drawLatents({ model, training }: Recipe, step: number): TensorData {
  const { size, distribution } = model.latent;
  const shape = [training.batch_size, size];
  const random = stream(training.seed, 'noise', step);
  return { dtype: 'float32', shape, data: random[distribution](training.batch_size * size) };
}

function pixels(
  data: Uint8Array,
  { data: { height, width, channels }, training }: Recipe,
): TensorData {
  return { dtype: 'uint8', shape: [training.batch_size, height, width, channels], data };
}

const scalar = (x: number): TensorData => ({
  dtype: 'float32',
  shape: [],
  data: Float32Array.of(x),
});

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
