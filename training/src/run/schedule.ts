/** What a schedule remembers of one network's training; it goes into the checkpoint. */
export interface ScheduleState {
  readonly rate: number;
  /** The lowest mean loss of an epoch so far; null before the first. */
  readonly best: number | null;
  /** Epochs since then. */
  readonly stale: number;
}

export const startSchedule = (rate: number): ScheduleState => ({ rate, best: null, stale: 0 });

/** A loss must fall by this share of itself to count as better (PyTorch's default). */
const THRESHOLD = 1e-4;

/**
 * ReduceLROnPlateau, as PyTorch has it: once more than `patience` epochs in a row have brought no
 * better loss, the rate is multiplied by `factor`.
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
