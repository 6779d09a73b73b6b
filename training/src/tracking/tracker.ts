/** Records a training in the run's folder: losses, sample images and evaluations. */
import { join } from 'node:path';
import { Generator, UserError } from '@gpn/runtime';
import { type Checkpoint, type Progress, stepName } from '../checkpoint/checkpoint.js';
import type { Dataset } from '../data/types.js';
import { exportNetwork } from '../export/network.js';
import { writeFileAtomic } from '../files/atomic.js';
import { type LogMark, openMetricsLog, readMetricsLog } from '../files/metrics-log.js';
import type { Phase } from '../methods/method.js';
import type { Recipe } from '../recipe/schema.js';
import { mapRecord } from '../records.js';
import { flatMeasures, openSmallEvaluator, type SmallEvaluator } from './evaluation.js';
import { evaluationCurves, lossCurves } from './plot.js';
import { signsOfCollapse, startWatch, type Watch, watchOn } from './sentinel.js';
import { openBoard } from './tensorboard.js';

/** The result of an evaluation. */
export interface Verdict {
  readonly watch: Watch;
  /** Whether it is the best so far. */
  readonly best: boolean;
  /** Signs of collapse, to embed in a sentence. */
  readonly signs: readonly string[];
}

/** Records a training. */
export interface Tracker {
  /** Whether the generator must be evaluated before its first step, as a reference for collapse. */
  begins(phase: Phase, progress: Progress): boolean;
  /** Whether the generator must be evaluated after this step: at regular intervals and at the end. */
  evaluates(phase: Phase, step: number, last: boolean): boolean;
  /** Records the losses of a step. */
  step(
    progress: Progress,
    epoch: number,
    losses: Readonly<Record<string, number>>,
    rates: Readonly<Record<string, number>>,
  ): void;
  /** Records that learning rates are multiplied by a factor after a step. */
  rescaled(step: number, factor: number): void;
  /**
   * Draws sample images, evaluates the generator, or both, as `wanted` says.
   * @param wanted.epoch number of completed epochs of the phase
   * @returns the result of the evaluation, if there is one
   */
  look(
    checkpoint: Checkpoint,
    wanted: { drawing?: boolean; evaluating: boolean; epoch: number },
  ): Promise<Verdict | undefined>;
  /** Makes all that was recorded survive a power cut. @returns what tells the log from others */
  sync(): LogMark;
  /** Plots the curves. */
  finish(): Promise<void>;
  /** Closes the files. */
  close(): Promise<void>;
}

/** Events that a tracker reports. */
export type TrackerEvent =
  | { type: 'sample'; path: string; step: number }
  | {
      type: 'evaluation';
      step: number;
      measures: Readonly<Record<string, number>>;
      /** Whether it is the best so far. */
      best: boolean;
      /** Number of classes of the data. */
      classes: number;
    }
  /** A note for the user. */
  | { type: 'note'; text: string };

/** Where and how to record. */
export interface TrackerOptions {
  readonly out: string;
  /** The step of the checkpoint that the run continues from; 0 for a new run. */
  readonly step: number;
  /** The lines of the metrics log up to there. */
  readonly lines: readonly string[];
  readonly evaluator: SmallEvaluator | undefined;
  readonly on: (event: TrackerEvent) => void;
}

/**
 * What measures a run's generators, if its recipe asks for it.
 * @throws UserError if they cannot be measured as the recipe says
 */
export async function evaluatorOf(
  recipe: Recipe,
  dataset: Dataset,
  threads?: number,
): Promise<SmallEvaluator | undefined> {
  const { evaluate_every: every, on_collapse } = recipe.output;
  if (every === undefined) return undefined;
  const evaluator = await openSmallEvaluator(recipe, dataset, threads ? { threads } : {});
  if (!evaluator.ranks && on_collapse === 'rollback') {
    throw new UserError(
      `output.on_collapse cannot be rollback: nothing ranks the generators of ${dataset.name}, so there is no best checkpoint; choose warn or stop, or give output.evaluate_with.`,
    );
  }
  return evaluator;
}

/**
 * Opens the files of a run's record.
 * @throws UserError if one cannot be written
 */
export async function openTracker(
  recipe: Recipe,
  { out, step: from, lines, evaluator, on }: TrackerOptions,
): Promise<Tracker> {
  const { evaluate_every: every, sample_count: count } = recipe.output;
  const note = (text: string) => on({ type: 'note', text });
  if (evaluator?.note) note(evaluator.note);
  const metrics = join(out, 'metrics.jsonl');
  const log = await openMetricsLog(metrics, lines);
  const board = await openBoard(join(out, 'tensorboard'), from, { note });

  const draw = async (generator: Generator, { progress: { seed, step } }: Checkpoint) => {
    const path = join(out, 'samples', `${stepName(step)}.png`);
    const png = await (await generator.sample({ count, seed })).toPNG();
    await writeFileAtomic(path, png);
    board.image(step, 'samples', png);
    on({ type: 'sample', path, step });
  };
  const evaluate = async (generator: Generator, { progress }: Checkpoint, epoch: number) => {
    if (!evaluator) return undefined;
    const { step, watch: before } = progress;
    const { real, names } = evaluator;
    const found = await evaluator.measure(generator);
    const signs = signsOfCollapse(found, real, before ?? startWatch, epoch, names);
    const watch = watchOn(before, step, found, real, signs);
    const best = watch.best?.step === step;
    const measures = flatMeasures(found, evaluator);
    log.append({ step, ...measures });
    board.scalars(step, grouped('evaluation', measures));
    const classes = real.classes?.filter((share) => share > 0).length ?? 0;
    on({ type: 'evaluation', step, measures, best, classes });
    return { watch, best, signs };
  };

  const learns = (phase: Phase) => 'generator' in phase.rates;
  return {
    begins: (phase, { watch }) => evaluator !== undefined && learns(phase) && watch === undefined,
    evaluates: (phase, step, last) =>
      every !== undefined && learns(phase) && (step % every === 0 || (last && step > every)),
    step({ step, schedule }, epoch, losses, rates) {
      log.append({ step, epoch, ...losses });
      const learning = mapRecord(schedule, (_, name) => rates[name] as number);
      const others = Object.entries(rates).filter(([name]) => !(name in schedule));
      board.scalars(step, {
        ...grouped('loss', losses),
        ...grouped('learning_rate', learning),
        ...grouped('rate', Object.fromEntries(others)),
      });
    },
    rescaled: (step, factor) => log.append({ step, learning_rate_scale: factor }),
    async look(checkpoint, { drawing = false, evaluating, epoch }) {
      if (!drawing && !evaluating) return undefined;
      board.weights(checkpoint.progress.step, checkpoint.state);
      const { bytes } = await exportNetwork(checkpoint, 'generator');
      const generator = await Generator.load(bytes, { device: 'cpu' });
      try {
        if (drawing) await draw(generator, checkpoint);
        return evaluating ? await evaluate(generator, checkpoint, epoch) : undefined;
      } finally {
        await generator.dispose();
      }
    },
    sync() {
      board.sync();
      log.sync();
      return log.mark();
    },
    async finish() {
      const rows = await readMetricsLog(metrics);
      const title = recipe.name;
      await writeFileAtomic(join(out, 'losses.svg'), await lossCurves(rows, { title }));
      if (rows.every(({ frechet, sliced }) => (frechet ?? sliced) === undefined)) return;
      await writeFileAtomic(join(out, 'evaluation.svg'), await evaluationCurves(rows, { title }));
    },
    async close() {
      log.close();
      board.close();
      await evaluator?.dispose();
    },
  };
}

/** Adds TensorBoard's group, which is the part of a name before the first slash. */
const grouped = (group: string, values: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    Object.entries(values).map(([name, x]) => [name.includes('/') ? name : `${group}/${name}`, x]),
  );
