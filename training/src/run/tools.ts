/** The tools of a training: compiled steps, the feeder and the tracker. */
import { writeRecipe } from '../checkpoint/identity.js';
import { ENGINES } from '../engine/choice.js';
import type { CompiledStep } from '../engine/types.js';
import { ensureWritableFolder } from '../files/atomic.js';
import type { Phase } from '../methods/method.js';
import type { Recipe } from '../recipe/schema.js';
import { evaluatorOf, openTracker, type Tracker } from '../tracking/tracker.js';
import { type Feeder, openFeeder } from './feeder.js';
import { foldersOf, type Start } from './start.js';
import type { TrainOptions } from './types.js';

/** Opened for the time of a training. */
export interface Tools {
  /** Compiles the step of a phase; rounds share one, because compiling is slow. */
  readonly open: (phase: Phase) => Promise<CompiledStep>;
  readonly feeder: Feeder;
  readonly tracker: Tracker;
}

/**
 * Opens the tools of a training, and closes them after `work`. Nothing is written before the first
 * step is compiled and the judge is opened, because neither may be there.
 * @throws UserError if the device or the judge cannot be used, or the folder cannot be written; the signal's reason if
 *   it is aborted before that
 */
export async function withTools<T>(
  recipe: Recipe,
  options: TrainOptions,
  start: Start,
  work: (tools: Tools) => Promise<T>,
): Promise<T> {
  const { out, threads, signal, on = () => {} } = options;
  const engine = compiler(recipe, options);
  // Its thread starts while the first step is compiled.
  const feeder = openFeeder(recipe, start.dataset, start.left);
  try {
    const [first] = start.left;
    if (first) await engine.open(first.phase);
    const { dataset, lines, progress } = start;
    const evaluator = await evaluatorOf(recipe, dataset, threads);
    signal?.throwIfAborted();
    for (const folder of [out, ...Object.values(foldersOf(out))])
      await ensureWritableFolder(folder);
    const { step } = progress;
    const tracker = await openTracker(recipe, { out, on, step, lines, evaluator });
    try {
      await writeRecipe(out, recipe, dataset.hash);
      return await work({ open: engine.open, feeder, tracker });
    } finally {
      await tracker.close();
    }
  } finally {
    await feeder.dispose();
    await engine.dispose();
  }
}

/** Compiles the steps of a recipe, each once. */
export function compiler(
  recipe: Recipe,
  {
    engine = 'onnx',
    device = 'auto',
    threads,
  }: Pick<TrainOptions, 'engine' | 'device' | 'threads'>,
) {
  const compiled = new Map<Phase['step'], CompiledStep>();
  const name = `${recipe.name} training step`;
  return {
    async open({ step, inputs, flops }: Phase): Promise<CompiledStep> {
      const options = { device, flops, name, ...(threads && { threads }) };
      const ready = compiled.get(step) ?? (await ENGINES[engine](step, inputs, options));
      compiled.set(step, ready);
      return ready;
    },
    async dispose(): Promise<void> {
      for (const step of compiled.values()) await step.dispose();
    },
  };
}
