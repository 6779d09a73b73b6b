/** The progress of a training, as pure functions from one step to the next. */
import { UserError } from '@gpn/runtime';
import type { Progress } from '../checkpoint/checkpoint.js';
import { floats } from '../data/tensors.js';
import type { Dataset } from '../data/types.js';
import type { State } from '../engine/types.js';
import type { Phase, PhaseData } from '../methods/method.js';
import type { Recipe } from '../recipe/schema.js';
import { mapRecord } from '../records.js';
import { cosine, plateau, ramped, startSchedule } from './schedule.js';

/** A phase with its data, placed on the step axis of a training: from `from` up to before `to`. */
export interface Part {
  readonly phase: Phase;
  readonly data: PhaseData;
  readonly from: number;
  readonly to: number;
  /** The steps of its phase in earlier rounds. */
  readonly taken: number;
  /** The steps of its phase in all rounds. */
  readonly total: number;
}

/** Places phases on the step axis, one after the other. Phases without steps are left out. */
export function partsOf(phases: readonly Phase[], dataset: Dataset): Part[] {
  let from = 0;
  const taken: Record<string, number> = {};
  const parts = phases.map((phase) => {
    const data = phase.data(dataset);
    const steps = phase.steps(data.stepsPerEpoch);
    const part = { phase, data, from, to: from + steps, taken: taken[phase.name] ?? 0 };
    from = part.to;
    taken[phase.name] = part.taken + steps;
    return part;
  });
  return parts
    .filter((part) => part.to > part.from)
    .map((part) => ({ ...part, total: taken[part.phase.name] as number }));
}

/** The feeds of `count` steps of one phase, from step `step` of the whole training on. */
export function feedsOf(parts: readonly Part[], step: number, count: number): State[] {
  const { data, from } = partAt(parts, step) as Part;
  return Array.from({ length: count }, (_, i) => data.feeds(step - from + i));
}

/** The part that contains a step; undefined if none does. */
export const partAt = (parts: readonly Part[], step: number): Part | undefined =>
  parts.find(({ from, to }) => from <= step && step < to);

/**
 * The step at which this call of `train` ends: the last of the training, or that of the first phase.
 * @throws UserError if the training has no such stage, it is already done, or it is not due yet
 */
export function endOf(
  parts: readonly Part[],
  step: number,
  { out, stage }: { out: string; stage?: 'generator' | 'discriminator' | undefined },
): number {
  const [first, last] = [parts[0]?.to ?? 0, parts.at(-1)?.to ?? 0];
  if (stage === undefined) return last;
  if (parts[0]?.phase.name !== 'discriminator') {
    throw new UserError('Both networks of this recipe learn together: leave --stage out.');
  }
  if (stage === 'discriminator' && step >= first) {
    throw new UserError(`${out} has its discriminator: --stage generator continues from there.`);
  }
  if (stage === 'generator' && step < first) {
    throw new UserError(`${out} has no trained discriminator: start with --stage discriminator.`);
  }
  return stage === 'discriminator' ? first : last;
}

/** The progress before the first step. */
export function startProgress(
  { training }: Recipe,
  dataset: Pick<Dataset, 'name' | 'hash' | 'count' | 'classes' | 'shares'>,
): Progress {
  const { name, hash, count, classes, shares } = dataset;
  return {
    step: 0,
    seed: training.seed,
    random: 'threefry2x32-20',
    epochs: 0,
    epoch: { steps: 0, sums: {} },
    places: {},
    schedule: {},
    dataset: { name, hash, count, ...(classes && { classes }), ...(shares && { shares }) },
  };
}

/** Enters a phase: its learning rates are the initial ones, times what was asked for since the start. */
export const enter = (progress: Progress, { rates }: Pick<Phase, 'rates'>): Progress => ({
  ...progress,
  epoch: { steps: 0, sums: {} },
  schedule: mapRecord(rates, (rate) =>
    startSchedule(
      (progress.rate_scales ?? []).reduce((scaled, { factor }) => scaled * factor, rate),
    ),
  ),
});

/** The progress with other learning rates from here on, which it keeps a record of. */
export const rescaled = (progress: Progress, factor: number): Progress => ({
  ...progress,
  rate_scales: [...(progress.rate_scales ?? []), { step: progress.step, factor }],
  schedule: mapRecord(progress.schedule, (of) => ({ ...of, rate: of.rate * factor })),
});

/** Advances by one step. At the end of an epoch the schedule is given the averages of its metrics. */
export function advance(
  progress: Progress,
  metrics: Readonly<Record<string, number>>,
  { from, data }: { readonly from: number; readonly data: Pick<PhaseData, 'stepsPerEpoch'> },
  { training }: Recipe,
): Progress {
  const step = progress.step + 1;
  const steps = progress.epoch.steps + 1;
  const sums = mapRecord(metrics, (value, name) => (progress.epoch.sums[name] ?? 0) + value);
  const epochs = progress.epochs + 1 / data.stepsPerEpoch;
  const next = { ...progress, step, epochs, epoch: { steps, sums } };
  if ((step - from) % data.stepsPerEpoch !== 0) return next;
  const rule = training.schedule;
  return {
    ...next,
    epochs: Math.round(epochs), // removes the rounding of the sum
    epoch: { steps: 0, sums: {} },
    schedule: mapRecord(progress.schedule, (rate, name) =>
      rule?.type === 'plateau' ? plateau(rate, (sums[name] ?? 0) / steps, rule) : rate,
    ),
  };
}

/** Number of steps until something else is due: an end, samples, a checkpoint or an evaluation. */
export function stepsToPause(
  { step }: Pick<Progress, 'step'>,
  {
    from,
    to,
    data: { stepsPerEpoch },
  }: Pick<Part, 'from' | 'to'> & { data: Pick<PhaseData, 'stepsPerEpoch'> },
  { output }: Pick<Recipe, 'output'>,
  end: number,
): number {
  const next = (every: number, start = 0) =>
    start + (Math.floor((step - start) / every) + 1) * every;
  const { samples_every, checkpoint_every, evaluate_every = samples_every } = output;
  const pauses = [samples_every, checkpoint_every, evaluate_every].map((every) => next(every));
  return Math.min(to, end, next(stepsPerEpoch, from), ...pauses) - step;
}

/** What is due after a step of a part; `end` is the last step of this call of `train`. */
export function dueAt(
  step: number,
  { to }: Pick<Part, 'to'>,
  { output }: Pick<Recipe, 'output'>,
  { end, stopped }: { end: number; stopped: boolean },
) {
  const last = step === end;
  return {
    drawing: step % output.samples_every === 0 || last,
    saving: step % output.checkpoint_every === 0 || last || stopped,
    /** The part is over. */
    ending: step === to,
  };
}

/** The progress after a rollback: steps continue to be counted, at half the learning rates. */
export const rolledBack = (progress: Progress): Progress => ({
  ...progress,
  schedule: mapRecord(progress.schedule, (rate) => ({ ...rate, rate: rate.rate / 2 })),
  ...(progress.watch && {
    watch: { ...progress.watch, rollbacks: progress.watch.rollbacks + 1 },
  }),
});

/** The inputs of the group `rates` by name. */
export type Rates = Readonly<Record<string, number>>;

/** A part, of which the rates depend on where it lies in its phase; a phase without rounds is one part. */
type Course = Pick<Part, 'from' | 'to'> &
  Partial<Pick<Part, 'taken' | 'total'>> & { readonly phase: Pick<Phase, 'inputs'> };

/**
 * The rates of some steps of a phase: learning rates as the progress has them, and what else a schedule
 * can change. A cosine is a function of the step, and of the length of the phase, in all its rounds, unless
 * it has its own.
 * @param first steps of the part before the first
 */
export function ratesAt(
  { schedule: learning }: Pick<Progress, 'schedule'>,
  first: number,
  count: number,
  { phase, from, to, taken = 0, total = to - from }: Course,
  { training }: Recipe,
): Rates[] {
  const { schedule, optimizer, r1, r2, input_noise: noise } = training;
  const { generator_average: keep, average_ramp: ramp } = training;
  const cosines = schedule?.type === 'cosine' ? schedule : undefined;
  const { steps = total, factor, penalty_factor = 1, noise_factor = 1, beta2 } = cosines ?? {};
  return Array.from({ length: count }, (_, i) => {
    const moved = (start: number, end = start) => cosine(taken + first + i, steps, start, end);
    const all: Record<string, number | undefined> = {
      ...mapRecord(learning, ({ rate }) => moved(rate, factor && rate * factor)),
      r1: r1 && moved(r1, r1 * penalty_factor),
      r2: r2 && moved(r2, r2 * penalty_factor),
      input_noise: noise && moved(noise, noise * noise_factor),
      beta2: optimizer.beta2 && moved(optimizer.beta2, beta2),
      average: keep && ramp && ramped(keep, ramp, taken + first + i),
    };
    return mapRecord(
      phase.inputs.rates as Record<string, object>,
      (_, name) => all[name] as number,
    );
  });
}

/** The rates of the first step of a phase as feeds, to time or compare a step alone. */
export const firstRates = (recipe: Recipe, phase: Phase): State => {
  const [rates = {}] = ratesAt(
    { schedule: mapRecord(phase.rates, startSchedule) },
    0,
    1,
    { phase, from: 0, to: 1 },
    recipe,
  );
  return asFeeds(rates);
};

/** Rates as feeds of a step. */
export const asFeeds = (rates: Rates): State =>
  Object.fromEntries(
    Object.entries(rates).map(([name, rate]) => [
      `rates/${name}`,
      floats([], Float32Array.of(rate)),
    ]),
  );
