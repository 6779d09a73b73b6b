/** The state of the schedule of one learning rate; a part of checkpoints. */
export interface ScheduleState {
  /** The current learning rate. */
  readonly rate: number;
  /** The lowest average loss of an epoch so far; null before the first. */
  readonly best: number | null;
  /** Epochs since `best`. */
  readonly stale: number;
}

/** The state before the first epoch. */
export const startSchedule = (rate: number): ScheduleState => ({ rate, best: null, stale: 0 });

/** A loss is better if it is lower by this share of the best one (PyTorch's default). */
const THRESHOLD = 1e-4;

/**
 * ReduceLROnPlateau, as in PyTorch: after more than `patience` epochs in a row without a better loss,
 * the rate is multiplied by `factor`.
 * @param loss average over the epoch
 */
export function plateau(
  state: ScheduleState,
  loss: number,
  { factor, patience = 0 }: { factor: number; patience?: number | undefined },
): ScheduleState {
  const better = state.best === null || loss < state.best - Math.abs(state.best) * THRESHOLD;
  if (better) return { ...state, best: loss, stale: 0 };
  const stale = state.stale + 1;
  return stale > patience ? { ...state, rate: state.rate * factor, stale: 0 } : { ...state, stale };
}

/**
 * A value that goes from `from` to `to` by half a cosine over the first `steps` steps, and then stays
 * (Loshchilov & Hutter 2017, equation 5, without restarts).
 * @param step steps taken so far
 */
export const cosine = (step: number, steps: number, from: number, to: number): number =>
  step >= steps ? to : to + ((from - to) * (1 + Math.cos((Math.PI * step) / steps))) / 2;

/**
 * The share of its old value that a moving average keeps: less at first, so that the average is over the
 * last `share` of the steps taken and forgets its start (after the ramp of Karras et al. 2020, StyleGAN2).
 * @param keep the share after many steps
 * @param step steps taken so far
 */
export const ramped = (keep: number, share: number, step: number): number =>
  Math.min(keep, 1 - 1 / (1 + share * step));
