/** How many steps to run in one call of the engine, by their measured speed. */

/** Steps of a call at most; with this many, the overhead of the call is small. */
const MOST = 32;
/** Seconds of a call at most; a run can be watched and stopped only between calls. */
const SECONDS = 0.5;

/**
 * Number of steps to run in one call, from 1 to 32.
 * @param perSecond steps per second; 0 if not known yet
 */
export const stepsAtOnce = (perSecond: number): number =>
  Math.max(1, Math.min(MOST, Math.floor(perSecond * SECONDS)));

/** Measures the speed of steps over the last twenty calls. */
export interface Pace {
  /** Records how long a call took. */
  took(steps: number, seconds: number): void;
  /** Steps per second; 0 before the end of the first call. */
  perSecond(): number;
}

function newPace(): Pace {
  const calls: { steps: number; seconds: number }[] = [];
  return {
    took(steps, seconds) {
      calls.push({ steps, seconds });
      if (calls.length > 20) calls.shift();
    },
    perSecond() {
      const seconds = calls.reduce((sum, call) => sum + call.seconds, 0);
      return seconds === 0 ? 0 : calls.reduce((sum, { steps }) => sum + steps, 0) / seconds;
    },
  };
}

/** Returns the pace of a step function; the rounds of a phase share one. */
export function pacesOf(): (step: unknown) => Pace {
  const paces = new Map<unknown, Pace>();
  return (step) => {
    const pace = paces.get(step) ?? newPace();
    paces.set(step, pace);
    return pace;
  };
}
