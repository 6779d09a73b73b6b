import { join } from 'node:path';
import { stream, UserError } from '@gpn/runtime';
import { ensureWritableFolder, writeFileAtomic } from './atomic.js';
import {
  bestCheckpoint,
  type Checkpoint,
  latestCheckpoint,
  type Progress,
  readCheckpoint,
  writeBestCheckpoint,
  writeCheckpoint,
} from './checkpoint.js';
import { type Dataset, loadDataset } from './data/dataset.js';
import type { CompiledStep } from './engine.js';
import { ENGINES } from './engines.js';
import { ganOf } from './gan.js';
import { type Phase, startingState } from './methods/method.js';
import { paceOf, stepsAtOnce } from './pace.js';
import {
  advance,
  endOf,
  enter,
  partsOf,
  ratesOf,
  rolledBack,
  startProgress,
  stepsToPause,
} from './progress.js';
import { measure } from './quality.js';
import type { Recipe } from './recipe.js';
import { recipeHash, recipeToYaml } from './recipes.js';
import { exportNetwork, type Role } from './run-export.js';
import { actionOn } from './tracking/sentinel.js';
import { openTracker } from './tracking/tracker.js';
import type { Best, TrainEvent, TrainOptions, TrainResult } from './train-types.js';

/**
 * Trains a GAN by its recipe, from the data to two .onnx files, all in one folder:
 * recipe.yml, metrics.jsonl, losses.svg, tensorboard/, samples/, checkpoints/, generator.onnx and
 * discriminator.onnx; with evaluations, evaluation.svg and the best networks too. A run that is
 * stopped anywhere and resumed ends with the same bytes in its checkpoint as one that is not, on the
 * same device with the same number of threads.
 * @throws UserError if the folder, the data or a checkpoint cannot be used, the losses diverge, or
 *   the generator has collapsed and the recipe says to stop
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

  // Rounds share their steps, as compiling one takes a while.
  const compiled = new Map<Phase['step'], CompiledStep>();
  const open = async (phase: Phase): Promise<CompiledStep> => {
    const step =
      compiled.get(phase.step) ??
      (await ENGINES[options.engine ?? 'onnx'](phase.step, phase.inputs, {
        device: options.device ?? 'auto',
        ...(options.threads && { threads: options.threads }),
        name: `${recipe.name} training step`,
      }));
    compiled.set(phase.step, step);
    return step;
  };
  const end = endOf(parts, progress.step, options);
  const left = parts.filter(({ to }) => to > progress.step && to <= end);
  // Before anything is written, like the data: a device may not be there.
  if (left[0]) await open(left[0].phase);
  for (const folder of [out, folders.checkpoints, folders.samples])
    await ensureWritableFolder(folder);
  const { threads } = options;
  const tracker = await openTracker(recipe, dataset, {
    ...{ out, on, step: progress.step },
    ...(threads && { threads }),
  });
  await writeFileAtomic(join(out, 'recipe.yml'), recipeToYaml(recipe));

  const checkpoint = (): Checkpoint => ({ state, progress, recipe });
  const save = async (): Promise<string> => {
    const path = await writeCheckpoint(folders.checkpoints, checkpoint());
    on({ type: 'checkpoint', path, step: progress.step });
    return path;
  };
  const keepBest = () => writeBestCheckpoint(folders.checkpoints, checkpoint());
  // The process may have ended between the two.
  if (progress.watch?.best?.step === progress.step) await keepBest();

  const begun = performance.now();
  let saved = resumed?.path;
  let stopped = false;
  let collapse: Collapse | undefined;
  const begunPhases = new Set<string>();
  try {
    for (const part of left) {
      if (stopped) break;
      const { phase, data, from, to } = part;
      const step = await open(phase);
      const pace = paceOf();
      step.load(state);
      if (progress.step === from) progress = enter(progress, phase);
      const { device, reason } = step;
      const about = { steps, epochs: steps / data.stepsPerEpoch, images: dataset.count };
      // Once for each phase, however many rounds there are.
      if (!begunPhases.has(phase.name)) {
        begunPhases.add(phase.name);
        on({
          type: 'start',
          phase: phase.name,
          step: progress.step,
          ...about,
          device,
          reason,
          out,
        });
      }
      if (tracker.begins(phase, progress)) {
        const begun = { drawing: false, evaluating: true, epoch: 0 };
        const verdict = await tracker.look(checkpoint(), begun);
        if (verdict) progress = { ...progress, watch: verdict.watch };
      }
      while (progress.step < to && !stopped) {
        const k = progress.step - from;
        const epoch = Math.floor(k / data.stepsPerEpoch);
        const count = Math.min(
          stepsToPause(progress, part, recipe, end),
          stepsAtOnce(pace.perSecond()),
        );
        const rates = ratesOf(progress);
        const feeds = Array.from({ length: count }, (_, i) => ({ ...data.feeds(k + i), ...rates }));
        const taken = await step.runAll(feeds);
        pace.took(count);
        for (const losses of taken) {
          if (!Object.values(losses).every(Number.isFinite)) {
            throw new UserError(diverged(progress.step + 1, saved));
          }
          progress = advance(progress, losses, part, recipe);
          tracker.step(progress, epoch, losses);
          const imagesPerSecond = pace.perSecond() * training.batch_size;
          on({ type: 'step', step: progress.step, steps, epoch, imagesPerSecond, losses });
        }
        stopped = options.signal?.aborted ?? false;
        const over = progress.step === to;
        const last = progress.step === end;
        const drawing = progress.step % output.samples_every === 0 || last;
        const evaluating = tracker.evaluates(phase, progress.step, last);
        const saving = progress.step % output.checkpoint_every === 0 || last || stopped;
        if (drawing || evaluating || saving || over) state = { ...state, ...step.state() };
        if (over && phase.measure) {
          const quality = await measure(recipe, phase, state);
          progress = { ...progress, quality };
          if (quality) on({ type: 'quality', step: progress.step, quality });
        }
        const verdict = await tracker.look(checkpoint(), { drawing, evaluating, epoch });
        if (verdict) progress = { ...progress, watch: verdict.watch };
        if (verdict && verdict.signs.length > 0) {
          const { action, because } = actionOn(output.on_collapse ?? 'warn', verdict.watch);
          const { best } = verdict.watch;
          const { signs } = verdict;
          on({ type: 'collapse', step: progress.step, signs, action, ...(best && { best }) });
          if (action === 'rollback') {
            state = (await readCheckpoint(bestCheckpoint(folders.checkpoints))).state;
            step.load(state);
            progress = rolledBack(progress);
          }
          if (action === 'stop') collapse = { signs, because };
        }
        stopped ||= collapse !== undefined;
        if (saving || collapse || verdict?.best) saved = await save();
        if (verdict?.best) await keepBest();
      }
    }
    saved ??= await save();
    await tracker.finish();
    if (collapse) throw new UserError(collapsed(collapse, progress, saved));
    const seconds = (performance.now() - begun) / 1000;
    const result = { step: progress.step, steps, seconds, out, checkpoint: saved };
    if (progress.step < end) return { type: 'interrupted', ...result };
    const trained = progress.step < steps ? (['discriminator'] as const) : ROLES;
    const files = await exportAll(out, checkpoint(), trained);
    if (progress.step < steps) return { type: 'stage', ...result, ...files };
    const best = progress.watch?.best && (await exportBest(out, folders.checkpoints));
    return { type: 'done', ...result, ...files, ...(best && { best }) };
  } finally {
    await tracker.close();
    for (const step of compiled.values()) await step.dispose();
  }
}

/** The checkpoint to go on from; refuses to write over a run that was not asked to go on. */
async function findStart(
  recipe: Recipe,
  folder: string,
  { out, resume, stage }: TrainOptions,
): Promise<(Checkpoint & { path: string }) | undefined> {
  const path = await latestCheckpoint(folder);
  if (!path) return undefined;
  if (!resume && stage !== 'generator') {
    throw new UserError(
      `${out} holds a run already: give --resume to go on with it, or another --out.`,
    );
  }
  const found = await readCheckpoint(path);
  // Where networks take turns, the number of steps decides what each step trains.
  const fixed = recipe.training.method === 'predictive';
  const comparable = (r: Recipe): string =>
    recipeHash(
      fixed ? r : { ...r, training: { ...r.training, epochs: undefined, steps: undefined } },
    );
  if (comparable(found.recipe) !== comparable(recipe)) {
    const may = fixed ? 'they' : 'only the number of epochs or steps';
    throw new UserError(
      `${out} was begun with other settings (see its recipe.yml); ${may} ${fixed ? 'cannot' : 'may'} change on --resume.`,
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

const ROLES = ['generator', 'discriminator'] as const;

async function exportAll<R extends Role>(
  out: string,
  checkpoint: Checkpoint,
  roles: readonly R[],
  prefix = '',
): Promise<Record<R, string>> {
  const files: Partial<Record<R, string>> = {};
  for (const role of roles) {
    const { bytes } = await exportNetwork(checkpoint, role);
    const path = join(out, `${prefix}${role}.onnx`);
    await writeFileAtomic(path, bytes);
    files[role] = path;
  }
  return files as Record<R, string>;
}

/** The networks as they were at their best, beside those of the last step. */
async function exportBest(out: string, folder: string): Promise<Best | undefined> {
  const checkpoint = await readCheckpoint(bestCheckpoint(folder));
  const { best } = checkpoint.progress.watch ?? {};
  return best ? { ...best, ...(await exportAll(out, checkpoint, ROLES, 'best-')) } : undefined;
}

interface Collapse {
  readonly signs: readonly string[];
  /** Why the training did not go back. */
  readonly because: string | undefined;
}

const collapsed = ({ signs, because }: Collapse, { step, watch }: Progress, saved: string) =>
  `The generator has collapsed by step ${step}: ${signs.join('; ')}. ` +
  `The training has stopped${because ? `, as ${because}` : ''}; ${saved} keeps it as it is` +
  `${watch?.best ? `, and best.safetensors beside it as it was at step ${watch.best.step}` : ''}. ` +
  'Lower the learning rates, the generator’s above all, and train again.';

const diverged = (step: number, saved: string | undefined): string =>
  `The losses are no longer numbers at step ${step}: the training has diverged. Lower the learning rates` +
  `${saved ? `; the last good checkpoint is ${saved}` : ''}.`;
