export const median = (xs) => xs.toSorted((a, b) => a - b)[xs.length >> 1];

/** The standard error of a median, from the middle half of the values, as if they were normal. */
export function errorOfMedian(xs) {
  const sorted = xs.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  return (1.2533 * ((at(0.75) - at(0.25)) / 1.349)) / Math.sqrt(xs.length);
}

/** Milliseconds that one call takes. */
export async function timed(call) {
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

/**
 * Milliseconds of several calls that take turns, one call of each at a time in an order that turns
 * round, so that whatever else the machine does weighs on all alike.
 */
export async function inTurns(calls, period) {
  const names = Object.keys(calls);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (
    let turn = 0, from = performance.now();
    turn === 0 || performance.now() - from < period;
    turn++
  ) {
    for (const name of turn % 2 ? names.toReversed() : names) {
      times[name].push(await timed(calls[name]));
    }
  }
  return times;
}
