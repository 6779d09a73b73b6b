/** How calls are timed, and compared fairly. */
import { setTimeout } from 'node:timers/promises';

export const median = (xs) => xs.toSorted((a, b) => a - b)[xs.length >> 1];

/** The standard error of a median, from the middle half of the values, as if they were normal. */
export function errorOfMedian(xs) {
  const sorted = xs.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  return (1.2533 * ((at(0.75) - at(0.25)) / 1.349)) / Math.sqrt(xs.length);
}

/** Milliseconds that one call takes. */
async function timed(call) {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

/** Milliseconds of calls that follow each other for a while; at least one. */
export async function repeatedly(call, period) {
  const times = [];
  for (const from = performance.now(); times.length === 0 || performance.now() - from < period; ) {
    times.push(await timed(call));
  }
  return times;
}

const ROUNDS = 8;
/**
 * Milliseconds of each side in each round, and of rest before it. Sides take turns by rounds and not
 * by calls: a session's threads wait for work awake for a while, in the way of another's.
 */
export const PERIOD = 400;
const REST = 150;

/** A side of a comparison: the median milliseconds of calls that follow each other. */
export const alone = (call) => async () => median(await repeatedly(call, PERIOD));

/**
 * What several sides come to, a figure of each for each round: functions that measure for a while
 * and give milliseconds. They take turns in an order that turns round, so that whatever else the
 * machine does weighs on all alike.
 */
export async function inRounds(sides) {
  const names = Object.keys(sides);
  for (const name of names) await sides[name](); // warms up
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of round % 2 ? names.toReversed() : names) {
      await setTimeout(REST);
      times[name].push(await sides[name]());
    }
  }
  return times;
}
