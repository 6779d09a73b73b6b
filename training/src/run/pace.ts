/** How many steps to take in one call of the engine, and how fast they are. */

/** The most steps in a call: with so many, the cost of the call itself is small. */
const MOST = 32;
/** Seconds that a call may take: between calls a run can be watched, and stopped. */
const SECONDS = 0.5;

/** @param perSecond steps a second; 0 while that is not known */
export const stepsAtOnce = (perSecond: number): number =>
  Math.max(1, Math.min(MOST, Math.floor(perSecond * SECONDS)));

/** How fast steps are, over the last twenty calls. */
export interface Pace {
  /** Tells how long a call took. */
  took(steps: number, seconds: number): void;
  /** Steps a second; 0 before the first call is over. */
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

/** The pace of each step function: the rounds of a phase share theirs. */
export function pacesOf(): (step: unknown) => Pace {
  const paces = new Map<unknown, Pace>();
  return (step) => {
    const pace = paces.get(step) ?? newPace();
    paces.set(step, pace);
    return pace;
  };
}
