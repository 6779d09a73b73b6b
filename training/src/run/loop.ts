import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import {
  bestCheckpoint,
  type Checkpoint,
  type Progress,
  readCheckpoint,
  writeBestCheckpoint,
  writeCheckpoint,
} from '../checkpoint/checkpoint.js';
import { ENGINES } from '../engine/choice.js';
import type { CompiledStep, State } from '../engine/types.js';
import { exportNetwork, type Role, VERSIONS } from '../export/run-export.js';
import { ensureWritableFolder, writeFileAtomic } from '../files/atomic.js';
import type { Phase } from '../methods/method.js';
import type { Recipe } from '../recipe/schema.js';
import { recipeToYaml } from '../recipe/yaml.js';
import { actionOn } from '../tracking/sentinel.js';
import { openTracker, type Tracker, type Verdict } from '../tracking/tracker.js';
import { ahead, type Feeder, openFeeder } from './feeder.js';
import { paceOf, stepsAtOnce } from './pace.js';
import {
  advance,
  enter,
  type Part,
  partAt,
  ratesOf,
  rolledBack,
  stepsToPause,
} from './progress.js';
import { measure } from './quality.js';
import { foldersOf, type Start, startOf } from './start.js';
import type { Best, TrainEvent, TrainOptions, TrainResult } from './types.js';

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
  const { out, threads, on = () => {} } = options;
  const start = await startOf(recipe, options);
  const [first] = start.left;
  const engine = compiler(recipe, options);
  // Its thread starts while the first step is compiled.
  const feeder = openFeeder(recipe, start.dataset, start.left);
  try {
    // Before anything is written, like the data: a device may not be there.
    if (first) await engine.open(first.phase);
    for (const folder of [out, ...Object.values(foldersOf(out))])
      await ensureWritableFolder(folder);
    const tracker = await openTracker(recipe, start.dataset, {
      ...{ out, on, step: start.progress.step },
      ...(threads && { threads }),
    });
    try {
      await writeFileAtomic(join(out, 'recipe.yml'), recipeToYaml(recipe));
      const run = new Run(recipe, options, start, { engine, feeder, tracker });
      await run.restoreBest();
      for (const part of start.left) await run.train(part);
      return await run.finish();
    } finally {
      await tracker.close();
    }
  } finally {
    await feeder.dispose();
    await engine.dispose();
  }
}

/** Steps ready to run. Rounds share theirs, as compiling one takes a while. */
function compiler(recipe: Recipe, { engine = 'onnx', device = 'auto', threads }: TrainOptions) {
  const compiled = new Map<Phase['step'], CompiledStep>();
  return {
    async open({ step, inputs, flops }: Phase): Promise<CompiledStep> {
      const ready =
        compiled.get(step) ??
        (await ENGINES[engine](step, inputs, {
          device,
          flops,
          ...(threads && { threads }),
          name: `${recipe.name} training step`,
        }));
      compiled.set(step, ready);
      return ready;
    },
    async dispose(): Promise<void> {
      for (const step of compiled.values()) await step.dispose();
    },
  };
}

/** What a training works with. */
interface Tools {
  readonly engine: ReturnType<typeof compiler>;
  readonly feeder: Feeder;
  readonly tracker: Tracker;
}

/** A training under way, and how far it has come. */
class Run {
  private progress: Progress;
  private state: State;
  /** The newest checkpoint. */
  private saved: string | undefined;
  private stopped = false;
  private collapse: Collapse | undefined;
  private readonly begun = performance.now();
  private readonly told = new Set<string>();
  private readonly on: (event: TrainEvent) => void;
  private readonly checkpoints: string;
  /** What the steps of the next call are fed. */
  private readonly next: () => Promise<State[]>;
  private readonly paces = new Map<Phase['step'], Pace>();

  constructor(
    private readonly recipe: Recipe,
    private readonly options: TrainOptions,
    private readonly start: Start,
    private readonly tools: Tools,
  ) {
    this.progress = start.progress;
    this.state = start.state;
    this.saved = start.resumed;
    this.on = options.on ?? (() => {});
    this.checkpoints = foldersOf(options.out).checkpoints;
    this.next = ahead(tools.feeder, this.progress.step, (step) => this.atOnce(step));
  }

  private get checkpoint(): Checkpoint {
    return { state: this.state, progress: this.progress, recipe: this.recipe };
  }

  private async save(): Promise<string> {
    const path = await writeCheckpoint(this.checkpoints, this.checkpoint);
    this.on({ type: 'checkpoint', path, step: this.progress.step });
    return path;
  }

  /** The process may have ended between writing a checkpoint and keeping it as the best. */
  async restoreBest(): Promise<void> {
    const { step, watch } = this.progress;
    if (watch?.best?.step === step) await writeBestCheckpoint(this.checkpoints, this.checkpoint);
  }

  /** A phase, from where it stands to its end, unless the training is stopped. */
  async train(part: Part): Promise<void> {
    if (this.stopped) return;
    const { phase, from, to } = part;
    const step = await this.tools.engine.open(phase);
    step.load(this.state);
    if (this.progress.step === from) this.progress = enter(this.progress, phase);
    this.tell(part, step);
    this.settle(phase, step);
    if (this.tools.tracker.begins(phase, this.progress)) {
      await this.look({ drawing: false, evaluating: true, epoch: 0 });
    }
    while (this.progress.step < to && !this.stopped) {
      const epoch = await this.take(part, step);
      await this.pause(part, step, epoch);
    }
  }

  /** Says what begins, once for each phase, however many rounds there are. */
  private tell({ phase, data }: Part, { device, reason }: CompiledStep): void {
    if (this.told.has(phase.name)) return;
    this.told.add(phase.name);
    const { steps, dataset } = this.start;
    this.on({
      ...{ type: 'start', phase: phase.name, step: this.progress.step, steps },
      ...{ epochs: steps / data.stepsPerEpoch, images: dataset.count },
      ...{ device, reason, out: this.options.out },
    });
  }

  /** Keeps where and by which version the phase is computed; says so where that was another before. */
  private settle({ name }: Phase, { rounding }: CompiledStep): void {
    const { places } = this.progress;
    const place = `${rounding}, gpn ${VERSIONS.gpn}`;
    const before = places[name] ?? place;
    if (before !== place) this.on({ type: 'note', text: moved(before, place) });
    this.progress = { ...this.progress, places: { ...places, [name]: place } };
  }

  /** Steps in one call of the engine, as many as may be. @returns the phase's epoch */
  private async take(part: Part, step: CompiledStep): Promise<number> {
    const { recipe } = this;
    const { tracker } = this.tools;
    const { steps } = this.start;
    const { data, from, phase } = part;
    const epoch = Math.floor((this.progress.step - from) / data.stepsPerEpoch);
    const begun = performance.now();
    const rates = ratesOf(this.progress);
    const feeds = (await this.next()).map((each) => ({ ...each, ...rates }));
    const taken = await step.runAll(feeds);
    const pace = this.pace(phase);
    pace.took(taken.length, (performance.now() - begun) / 1000);
    const imagesPerSecond = pace.perSecond() * recipe.training.batch_size;
    for (const losses of taken) {
      if (!Object.values(losses).every(Number.isFinite)) {
        throw new UserError(diverged(this.progress.step + 1, this.saved));
      }
      this.progress = advance(this.progress, losses, part, recipe);
      tracker.step(this.progress, epoch, losses);
      this.on({
        ...{ type: 'step', step: this.progress.step, steps },
        ...{ epoch, imagesPerSecond, losses },
      });
    }
    return epoch;
  }

  /** How many steps can be taken together from `step` on; 0 after the last. */
  private atOnce(step: number): number {
    const { left, end } = this.start;
    const part = partAt(left, step);
    if (!part) return 0;
    const most = stepsToPause({ step }, part, this.recipe, end);
    return Math.min(most, stepsAtOnce(this.pace(part.phase).perSecond()));
  }

  /** How fast a phase is, in all its rounds. */
  private pace({ step }: Phase): Pace {
    const pace = this.paces.get(step) ?? paceOf();
    this.paces.set(step, pace);
    return pace;
  }

  /** All that is due between steps: pictures, evaluations, checkpoints. */
  private async pause({ phase, to }: Part, compiled: CompiledStep, epoch: number): Promise<void> {
    const { output } = this.recipe;
    const { step } = this.progress;
    this.stopped = this.options.signal?.aborted ?? false;
    const last = step === this.start.end;
    const drawing = step % output.samples_every === 0 || last;
    const evaluating = this.tools.tracker.evaluates(phase, step, last);
    const saving = step % output.checkpoint_every === 0 || last || this.stopped;
    if (drawing || evaluating || saving || step === to) {
      this.state = { ...this.state, ...compiled.state() };
    }
    if (step === to && phase.measure) await this.measure(phase);
    const verdict = await this.look({ drawing, evaluating, epoch });
    if (verdict && verdict.signs.length > 0) await this.react(verdict, compiled);
    this.stopped ||= this.collapse !== undefined;
    if (saving || this.collapse || verdict?.best) this.saved = await this.save();
    if (verdict?.best) await writeBestCheckpoint(this.checkpoints, this.checkpoint);
  }

  private async measure(phase: Phase): Promise<void> {
    const quality = await measure(this.recipe, phase, this.state);
    this.progress = { ...this.progress, quality };
    if (quality) this.on({ type: 'quality', step: this.progress.step, quality });
  }

  private async look(wanted: Parameters<Tracker['look']>[1]): Promise<Verdict | undefined> {
    const verdict = await this.tools.tracker.look(this.checkpoint, wanted);
    if (verdict) this.progress = { ...this.progress, watch: verdict.watch };
    return verdict;
  }

  /** To a collapse, as the recipe says. */
  private async react({ signs, watch }: Verdict, compiled: CompiledStep): Promise<void> {
    const { action, because } = actionOn(this.recipe.output.on_collapse ?? 'warn', watch);
    const { best } = watch;
    const { step } = this.progress;
    this.on({ type: 'collapse', step, signs, action, ...(best && { best }) });
    if (action === 'rollback') {
      this.state = (await readCheckpoint(bestCheckpoint(this.checkpoints))).state;
      compiled.load(this.state);
      this.progress = rolledBack(this.progress);
    }
    if (action === 'stop') this.collapse = { signs, because };
  }

  /** The curves and the networks. */
  async finish(): Promise<TrainResult> {
    const { out } = this.options;
    const { end, steps } = this.start;
    this.saved ??= await this.save();
    await this.tools.tracker.finish();
    if (this.collapse) throw new UserError(collapsed(this.collapse, this.progress, this.saved));
    const { step, watch } = this.progress;
    const seconds = (performance.now() - this.begun) / 1000;
    const result = { step, steps, seconds, out, checkpoint: this.saved };
    if (step < end) return { type: 'interrupted', ...result };
    const trained = step < steps ? (['discriminator'] as const) : ROLES;
    const files = await exportAll(out, this.checkpoint, trained);
    if (step < steps) return { type: 'stage', ...result, ...files };
    const best = watch?.best && (await exportBest(out, this.checkpoints));
    return { type: 'done', ...result, ...files, ...(best && { best }) };
  }
}

type Pace = ReturnType<typeof paceOf>;

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

const moved = (from: string, to: string): string =>
  `Until now the run was computed on ${from}, from here on it is on ${to}: sums may be rounded otherwise, ` +
  'and then it does not end with the bytes of a run that was never stopped.';

const diverged = (step: number, saved: string | undefined): string =>
  `The losses are no longer numbers at step ${step}: the training has diverged. Lower the learning rates` +
  `${saved ? `; the last good checkpoint is ${saved}` : ''}.`;
