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
  { factor, patience }: { factor: number; patience: number },
): ScheduleState {
  const better = state.best === null || loss < state.best - Math.abs(state.best) * THRESHOLD;
  if (better) return { ...state, best: loss, stale: 0 };
  const stale = state.stale + 1;
  return stale > patience ? { ...state, rate: state.rate * factor, stale: 0 } : { ...state, stale };
}
