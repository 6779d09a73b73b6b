import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { UserError } from '@gpn/runtime';
import {
  bestCheckpoint,
  type Checkpoint,
  readCheckpoint,
  writeBestCheckpoint,
  writeCheckpoint,
} from '../checkpoint/checkpoint.js';
import { exportNetwork, type Role } from '../export/network.js';
import { VERSIONS } from '../export/versions.js';
import { writeFileAtomic } from '../files/atomic.js';
import { type FolderLock, lockFolder } from '../files/lock.js';
import type { Recipe } from '../recipe/schema.js';
import { actionOn } from '../tracking/sentinel.js';
import { ahead } from './feeder.js';
import { pacesOf, stepsAtOnce } from './pace.js';
import {
  advance,
  asFeeds,
  dueAt,
  enter,
  partAt,
  ratesAt,
  rolledBack,
  stepsToPause,
} from './progress.js';
import { measure } from './quality.js';
import {
  type Collapse,
  collapsed,
  diverged,
  leftOut,
  moved,
  rescaledFrom,
  takenOver,
  tooLong,
  tooShort,
} from './sentences.js';
import { foldersOf, startOf } from './start.js';
import { withTools } from './tools.js';
import type { Best, TrainOptions, TrainResult } from './types.js';

/**
 * Trains a GAN by its recipe, from the data to two .onnx files in the folder `options.out`:
 * recipe.yml, metrics.jsonl, losses.svg, tensorboard/, samples/, checkpoints/, generator.onnx and
 * discriminator.onnx; with evaluations also evaluation.svg and the best networks. A run that is
 * stopped and resumed ends with the same bytes in its checkpoint as an uninterrupted one, on the same
 * device with the same number of threads.
 * @throws UserError if the folder, the data or a checkpoint cannot be used, if another training uses the
 *   folder, if the losses diverge, or if the generator has collapsed and the recipe says to stop; the
 *   signal's reason if it is aborted before there is anything to save
 */
export async function train(recipe: Recipe, options: TrainOptions): Promise<TrainResult> {
  const { out, on = () => {} } = options;
  const lock = await lockFolder(out);
  try {
    if (lock.dead.length > 0) on({ type: 'note', text: takenOver(out, lock.dead) });
    return await trainAlone(recipe, options, lock);
  } finally {
    await lock.release();
  }
}

/** Trains in a folder that is locked. */
async function trainAlone(
  recipe: Recipe,
  options: TrainOptions,
  lock: FolderLock,
): Promise<TrainResult> {
  const { out, signal, on = () => {} } = options;
  const { checkpoints } = foldersOf(out);
  const start = await startOf(recipe, options);
  const { left, end, steps, dataset } = start;
  if (dataset.unread) await writeFileAtomic(join(out, 'left-out.txt'), leftOut(dataset.unread));

  return withTools(recipe, options, start, async ({ open, feeder, tracker }) => {
    // All that changes, apart from the state that a compiled step keeps between calls.
    let { state, progress, resumed: saved } = start;
    let stopped = false;
    let collapse: Collapse | undefined;

    const checkpoint = (): Checkpoint => ({ state, progress, recipe });
    // What it continues of the log is on the disk before it.
    const whole = (): Checkpoint => ({ ...checkpoint(), log: tracker.sync() });
    const save = async (): Promise<string> => {
      lock.check();
      const path = await writeCheckpoint(checkpoints, whole());
      on({ type: 'checkpoint', path, step: progress.step });
      return path;
    };
    const { learningRateScale } = options;
    if (learningRateScale) {
      tracker.rescaled(progress.step, learningRateScale);
      on({ type: 'note', text: rescaledFrom(progress) });
    }
    const begun = performance.now();
    const announced = new Set<string>();
    const paceOf = pacesOf();
    const next = ahead(feeder, progress.step, (step) => {
      const part = partAt(left, step);
      if (!part) return 0;
      const most = stepsToPause({ step }, part, recipe, end);
      return Math.min(most, stepsAtOnce(paceOf(part.phase.step).perSecond()));
    });

    // The earlier process may have ended after a checkpoint and before copying it as the best.
    if (progress.watch?.best?.step === progress.step) {
      await writeBestCheckpoint(checkpoints, whole());
    }
    // The best checkpoint stood in for a damaged one of the same step.
    if (saved === bestCheckpoint(checkpoints)) saved = await save();

    for (const part of left) {
      const { phase, data, from, to } = part;
      const compiled = await open(phase);
      const pace = paceOf(phase.step);
      compiled.load(state);
      if (progress.step === from) progress = enter(progress, phase);

      // Announce each phase once, however many rounds there are.
      if (!announced.has(phase.name)) {
        const { device, reason } = compiled;
        // Of this call: a stage ends before the whole training does.
        const epochs = end / data.stepsPerEpoch;
        const images = dataset.count;
        const { step } = progress;
        const what = { phase: phase.name, step, steps: end, epochs, images };
        on({ type: 'start', ...what, device, reason, out });
        const odd = tooShort(recipe, end) ?? tooLong(recipe, end, images);
        if (odd && step === 0) on({ type: 'note', text: odd });
        announced.add(phase.name);
      }
      const place = `${compiled.rounding}, gpn ${VERSIONS.gpn}`;
      const before = progress.places[phase.name] ?? place;
      if (before !== place) on({ type: 'note', text: moved(before, place) });
      progress = { ...progress, places: { ...progress.places, [phase.name]: place } };

      // The first evaluation is the reference that tells a collapse from an untrained generator.
      if (tracker.begins(phase, progress)) {
        const verdict = await tracker.look(checkpoint(), { evaluating: true, epoch: 0 });
        if (verdict) progress = { ...progress, watch: verdict.watch };
      }

      while (progress.step < to && !stopped) {
        // Data: the feeds of the next steps, prepared in another thread while the last ones ran.
        const epoch = Math.floor((progress.step - from) / data.stepsPerEpoch);
        const calling = performance.now();
        const prepared = await next();
        const first = progress.step - from;
        const rates = ratesAt(progress, first, prepared.length, part, recipe);
        const feeds = prepared.map((each, i) => ({ ...each, ...asFeeds(rates[i] ?? {}) }));

        // Steps: forward, backward and update, several in one call of the engine.
        const taken = await compiled.runAll(feeds);
        pace.took(taken.length, (performance.now() - calling) / 1000);
        const imagesPerSecond = pace.perSecond() * recipe.training.batch_size;
        for (const [i, losses] of taken.entries()) {
          if (!Object.values(losses).every(Number.isFinite)) {
            throw new UserError(diverged(progress.step + 1, saved));
          }
          progress = advance(progress, losses, part, recipe);
          tracker.step(progress, epoch, losses, rates[i] ?? {});
          const { step } = progress;
          on({ type: 'step', step, steps: end, epoch, imagesPerSecond, losses });
        }

        // An engine may never wait for anything: signals and timers are heard here.
        await turn();
        stopped = signal?.aborted ?? false;

        // Look: samples and evaluations, when they are due.
        const { step } = progress;
        const { drawing, saving, ending } = dueAt(step, part, recipe, { end, stopped });
        const evaluating = tracker.evaluates(phase, step, step === end);
        if (drawing || evaluating || saving || ending) state = { ...state, ...compiled.state() };
        if (ending && phase.measure) {
          const quality = await measure(recipe, phase, state);
          progress = { ...progress, quality };
          if (quality) on({ type: 'quality', step, quality });
        }
        const verdict = await tracker.look(checkpoint(), { drawing, evaluating, epoch });
        if (verdict) progress = { ...progress, watch: verdict.watch };

        // Collapse: the recipe says whether to continue, to stop, or to go back to the best state.
        if (verdict && verdict.signs.length > 0) {
          const { signs, watch } = verdict;
          const { action, because } = actionOn(recipe.output.on_collapse ?? 'warn', watch);
          on({ type: 'collapse', step, signs, action, ...(watch.best && { best: watch.best }) });
          if (action === 'rollback') {
            state = (await readCheckpoint(bestCheckpoint(checkpoints))).state;
            compiled.load(state);
            progress = rolledBack(progress);
          }
          if (action === 'stop') collapse = { signs, because };
        }
        stopped ||= collapse !== undefined;

        // Checkpoint: all that a resumed run needs.
        if (saving || collapse || verdict?.best) saved = await save();
        if (verdict?.best) await writeBestCheckpoint(checkpoints, whole());
      }
      if (stopped) break;
    }

    // Export: the curves, and both networks if they are completely trained.
    saved ??= await save();
    await tracker.finish();
    if (collapse) throw new UserError(collapsed(collapse, progress, saved));
    const seconds = (performance.now() - begun) / 1000;
    const { step } = progress;
    const result = { step, steps, seconds, out, checkpoint: saved };
    if (step < end) return { type: 'interrupted', ...result, steps: end };
    if (step < steps) {
      const discriminator = await exportTo(out, checkpoint(), 'discriminator');
      return { type: 'stage', ...result, discriminator };
    }
    const files = await exportBoth(out, checkpoint());
    const best = progress.watch?.best && (await exportBest(out, checkpoints));
    return { type: 'done', ...result, ...files, ...(best && { best }) };
  });
}

async function exportTo(
  out: string,
  checkpoint: Checkpoint,
  role: Role,
  prefix = '',
): Promise<string> {
  const { bytes } = await exportNetwork(checkpoint, role);
  const path = join(out, `${prefix}${role}.onnx`);
  await writeFileAtomic(path, bytes);
  return path;
}

async function exportBoth(out: string, checkpoint: Checkpoint, prefix = '') {
  return {
    generator: await exportTo(out, checkpoint, 'generator', prefix),
    discriminator: await exportTo(out, checkpoint, 'discriminator', prefix),
  };
}

/** Exports the networks of the best checkpoint, in addition to those of the last step. */
async function exportBest(out: string, folder: string): Promise<Best | undefined> {
  const checkpoint = await readCheckpoint(bestCheckpoint(folder));
  const { best } = checkpoint.progress.watch ?? {};
  return best ? { ...best, ...(await exportBoth(out, checkpoint, 'best-')) } : undefined;
}
