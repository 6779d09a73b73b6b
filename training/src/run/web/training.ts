/** Training in a page by a ready step, which ONNX Runtime's web build runs in a worker. */
import { initialize } from '@gpn/models/initialize';
import {
  type Images,
  type OpenOptions,
  openSession,
  readSource,
  type Source,
  stream,
  UserError,
} from '@gpn/runtime';
import type { Progress } from '../../checkpoint/checkpoint.js';
import { feedsBy, stepsOfTurn } from '../../data/feeds/plans.js';
import type { Dataset } from '../../data/types.js';
import type { SessionStep } from '../../engine/session-step.js';
import type { State } from '../../engine/types.js';
import type { Role } from '../../export/info.js';
import {
  readStepInfo,
  type StepGraph,
  type StepInfo,
  type StepPhase,
  stepGraph,
} from '../../export/step-file.js';
import { stepsFor } from '../../recipe/keys/length.js';
import { mapRecord } from '../../records.js';
import { pacesOf, stepsAtOnce } from '../pace.js';
import { advance, asFeeds, enter, ratesAt, startProgress, stepsToPause } from '../progress.js';
import { type PageCheckpoint, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { datasetOf, type PageImages } from './data.js';
import { openStep } from './held-step.js';
import { drawImages, networkFile, type Trained } from './networks.js';
import { openedOnce } from './opened.js';

/** What to train, and where. */
export interface TrainingOptions
  extends PageImages,
    Pick<OpenOptions, 'device' | 'threads' | 'assets' | 'worker'> {
  /** The file that `gpn-cli export --training-step` wrote: its address or its bytes. */
  readonly step: Source;
  /** A checkpoint to continue from, of a page or of Node; without one the training starts. */
  readonly checkpoint?: Uint8Array;
  /** Steps in all (of each network, if they take turns); as the recipe gives them unless given. */
  readonly steps?: number;
}

/** How far a training has come. */
export interface TrainingProgress {
  /** Steps that are done, and steps in all. */
  readonly step: number;
  readonly steps: number;
  /** The losses of the last step, and what else it measures, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly imagesPerSecond: number;
  /** Until the end, at the present speed. */
  readonly secondsLeft: number;
}

/** How long to run. */
export interface RunOptions {
  /** Steps to run; those that are left unless given. */
  readonly steps?: number;
  /** Pauses the training within about half a second. Another `run` continues it. */
  readonly signal?: AbortSignal;
  /** Called after every step. */
  readonly onProgress?: (progress: TrainingProgress) => void;
}

/** A training in a page. */
export interface Training {
  readonly device: string;
  /** Why this device was chosen. */
  readonly reason: string;
  /** What the step's file says about itself. */
  readonly info: StepInfo;
  /** Steps in all. */
  readonly steps: number;
  /** Steps that are done. */
  readonly step: number;
  /**
   * Runs steps until the end, until so many are done, or until the signal pauses them.
   * @throws UserError if the losses are not finite any more; what was done before the call stays
   */
  run(options?: RunOptions): Promise<void>;
  /** The present state as the bytes of a checkpoint; while steps run, that of the last call. */
  checkpoint(): Promise<Uint8Array>;
  /** The same, with the number of its step. */
  snapshot(): Promise<{ readonly step: number; readonly bytes: Uint8Array }>;
  /**
   * A network as the bytes of an .onnx file with its description and certificate: what `gpn-cli export`
   * makes of the same checkpoint, as far as devices round alike. While steps run, that of the last call.
   */
  network(role: Role): Promise<Uint8Array>;
  /** Images of the generator as it is, of the latents of a seed. */
  draw(images: { readonly count: number; readonly seed: number }): Promise<Images>;
  /** Frees the memory. The worker ends with the last session that it has. */
  dispose(): Promise<void>;
}

/**
 * Opens a training: fetches the step, checks the images and opens a session. The same step, images and
 * seed give the same training as under Node, as far as devices round alike.
 * @throws UserError if the step, the images, the checkpoint or the device cannot be used
 */
export async function openTraining(options: TrainingOptions): Promise<Training> {
  const { bytes, label } = await readSource(options.step);
  const info = readStepInfo(bytes, label);
  const { recipe } = info;
  const dataset = await datasetOf(options, info);
  const turns = turnsOf(info, dataset, options.steps);
  const steps = turns.at(-1)?.to ?? 0;
  const start = await startOf(info, dataset, options.checkpoint);
  if (start.progress.step > steps) {
    throw new UserError(
      `The checkpoint has ${start.progress.step} steps done, more than the requested ${steps}.`,
    );
  }

  const { device, threads, assets, worker } = options;
  const open: OpenOptions = {
    ...(device && { device }),
    ...(threads && { threads }),
    ...(assets && { assets }),
    ...(worker !== undefined && { worker }),
  };
  // Phases may come by turns, and pictures at intervals: their sessions stay open.
  const phases = openedOnce((index: number) => openPhase(info, index, bytes, { ...open, label }));
  const graphs = openedOnce(async (graph: StepGraph) =>
    openSession(await stepGraph(bytes, graph), { ...open, label }),
  );
  const turnAt = (step: number): Turning => turns.find(({ to }) => step < to) ?? lastOf(turns);
  const { device: on, reason } = await phases.get(turnAt(start.progress.step).index);
  const place = `${on} in a page, gpn ${info.provenance.versions.gpn}`;
  const pace = pacesOf();
  let { state, progress } = start as { state: State; progress: Progress };
  /** The step that may hold parts of the state in the memory of its device. */
  let holder = await phases.get(turnAt(progress.step).index);
  let running = false;

  const runTo = async (end: number, { signal, onProgress }: RunOptions): Promise<void> => {
    while (progress.step < end && !signal?.aborted) {
      const turn = turnAt(progress.step);
      const { phase, index, data, from } = turn;
      const compiled = await phases.get(index);
      if (compiled !== holder) state = await holder.read(state);
      holder = compiled;
      const speed = pace(phase);
      if (progress.step === from) progress = enter(progress, phase);
      progress = { ...progress, places: { ...progress.places, [phase.name]: place } };
      const part = partOf(turn);
      const most = stepsToPause(progress, part, recipe, end);
      const count = Math.min(most, compiled.most, stepsAtOnce(speed.perSecond()));
      const first = progress.step;
      const calling = performance.now();
      compiled.load(state);
      const all = ratesAt(progress, first - from, count, part, recipe);
      const taken = await compiled.runAll(
        all.map((rates, i) => ({ ...data.feeds(first - from + i), ...asFeeds(rates) })),
      );
      speed.took(count, (performance.now() - calling) / 1000);
      const wrong = taken.findIndex((metrics) => !Object.values(metrics).every(Number.isFinite));
      if (wrong >= 0) {
        throw new UserError(
          `The losses are not finite at step ${first + wrong + 1}: the training has diverged. Start again from an earlier checkpoint, or with a step of lower learning rates.`,
        );
      }
      state = { ...state, ...compiled.state() };
      progress = taken.reduce((from, metrics) => advance(from, metrics, part, recipe), progress);
      taken.forEach((metrics, i) => {
        const step = first + i + 1;
        const perSecond = speed.perSecond();
        const imagesPerSecond = perSecond * phase.feeds.images;
        const secondsLeft = (steps - step) / perSecond;
        onProgress?.({ step, steps, metrics, imagesPerSecond, secondsLeft });
      });
    }
  };

  /** The present state and its progress; a step that runs meanwhile changes neither. */
  const present = async (): Promise<Pick<Trained, 'state' | 'progress'>> => {
    const now = progress;
    return { state: await holder.read(state), progress: now };
  };
  const checkpoint = async (): Promise<Uint8Array> =>
    writeCheckpoint({ ...(await present()), recipe: start.recipe }, info);
  const trained = async (): Promise<Trained> => ({
    ...{ step: bytes, info, open, opened: graphs.get },
    ...(await present()),
  });

  return {
    device: on,
    reason,
    info,
    steps,
    get step() {
      return progress.step;
    },
    async run(how = {}) {
      if (running) throw new Error('The training is running already');
      running = true;
      try {
        await runTo(Math.min(steps, progress.step + (how.steps ?? steps)), how);
      } finally {
        running = false;
      }
    },
    checkpoint,
    async snapshot() {
      const { step } = progress;
      return { step, bytes: await checkpoint() };
    },
    network: async (role) => networkFile(await trained(), role),
    draw: async (images) => drawImages(await trained(), images),
    async dispose() {
      await Promise.all([phases.dispose(), graphs.dispose()]);
    },
  };
}

/** A turn of a phase on the step axis of a training, with its data. */
interface Turning {
  readonly phase: StepPhase;
  /** Of the phase in the file. */
  readonly index: number;
  readonly data: { readonly stepsPerEpoch: number; feeds(k: number): State };
  readonly from: number;
  readonly to: number;
  /** The steps of its phase in earlier rounds, and in all. */
  readonly taken: number;
  readonly total: number;
}

/** Places the turns one after the other; those without steps are left out. */
function turnsOf({ phases, turns, recipe }: StepInfo, dataset: Dataset, steps?: number): Turning[] {
  const fed = phases.map(({ feeds }) => feedsBy(feeds, dataset));
  let before = 0;
  const placed = turns.map(({ phase: index, ...turn }) => {
    const phase = phases[index] as StepPhase;
    const { stepsPerEpoch, feeds } = fed[index] as Turning['data'];
    const all = steps ?? stepsFor(recipe.training, phase.epoch ?? stepsPerEpoch);
    const { from: skipped, to } = stepsOfTurn(all, turn);
    const from = before;
    before += to - skipped;
    const data = { stepsPerEpoch, feeds: (k: number) => feeds(skipped + k) };
    return { phase, index, data, from, to: before, taken: skipped, total: all };
  });
  return placed.filter(({ from, to }) => to > from);
}

const lastOf = (turns: readonly Turning[]): Turning => turns.at(-1) as Turning;

/** What rates and epochs are reckoned by. */
const partOf = ({ phase, ...turn }: Turning) => {
  const rates = Object.fromEntries(namesOf(phase, 'rates').map((name) => [name, {}]));
  return { ...turn, phase: { inputs: { state: {}, rates } } };
};

/** Opens the session of a phase, whose graph is the file's own or lies beside it. */
async function openPhase(
  { phases, times }: StepInfo,
  index: number,
  bytes: Uint8Array,
  options: OpenOptions,
): Promise<SessionStep> {
  const graph = index === 0 ? bytes : await stepGraph(bytes, `phase-${index}`);
  const names = namesOf(phases[index] as StepPhase, 'state');
  return openStep(graph, options, { names, times });
}

/** The names of the inputs of a role, without the role. */
const namesOf = ({ inputs }: StepPhase, wanted: string): string[] =>
  inputs.flatMap(({ name, role }) => (role === wanted ? [name.slice(role.length + 1)] : []));

/** The checkpoint to continue from, or the first state of the seed. */
async function startOf(
  info: StepInfo,
  dataset: Dataset,
  bytes: Uint8Array | undefined,
): Promise<PageCheckpoint> {
  const { recipe } = info;
  if (!bytes) {
    const text = JSON.stringify(recipe);
    return { state: startingState(info), progress: startProgress(recipe, dataset), recipe: text };
  }
  const checkpoint = await readCheckpoint(bytes, info);
  const { hash, count } = checkpoint.progress.dataset;
  if (hash !== dataset.hash) {
    throw new UserError(
      `The checkpoint was trained on other images (${count}): a training must continue with those that it started with.`,
    );
  }
  return checkpoint;
}

/** The state before the first step, as `startingState` of Node draws it. */
function startingState({ start, recipe: { model, training } }: StepInfo): State {
  if (start === undefined) {
    throw new UserError(
      'The networks of this step are of a file of code, which alone can start them: give a checkpoint.',
    );
  }
  const random = stream(training.seed, 'initialization');
  const drawn = initialize(start, model.initialization, (count) => random.normal(count));
  return mapRecord(drawn, (weights) => ({ dtype: 'float32', ...weights }));
}
