/** How many steps to take in one call of the engine. */

/** The most steps in a call: what a call costs is by then small beside them. */
const MOST = 32;
/** How long a call may take: between calls a run can be watched, and stopped. */
const SECONDS = 0.5;

/** @param perSecond how many steps a second takes; 0 while that is not known */
export const stepsAtOnce = (perSecond: number): number =>
  Math.max(1, Math.min(MOST, Math.floor(perSecond * SECONDS)));

/** Follows how fast steps are, over the last twenty calls. */
export function paceOf() {
  const calls: { steps: number; seconds: number }[] = [];
  return {
    took(steps: number, seconds: number): void {
      calls.push({ steps, seconds });
      if (calls.length > 20) calls.shift();
    },
    /** Steps a second; 0 before the first call is over. */
    perSecond(): number {
      const seconds = calls.reduce((sum, call) => sum + call.seconds, 0);
      return seconds === 0 ? 0 : calls.reduce((sum, { steps }) => sum + steps, 0) / seconds;
    },
  };
}
