/** Shows how far bulk work is: a line that changes on a terminal, elsewhere a line every ten seconds. */
import { clock, timer } from '../terminal/progress.js';
import { statusLine } from '../terminal/status.js';

/** Milliseconds between two drawings on a terminal. */
const DRAW_EVERY = 200;

/**
 * @param total the number of items
 * @param before how many of them were done before; they do not count for the pace
 */
export function progressOf(
  stream: NodeJS.WriteStream,
  total: number,
  before: number,
  now = () => performance.now() / 1000,
) {
  const line = statusLine(stream);
  const timeLeft = timer({ step: before, at: now() });
  let done = before;
  const count = (n: number) => n.toLocaleString('en');
  const draw = (): void => {
    const left = timeLeft({ step: done, steps: total }, now());
    const percent = Math.floor((100 * done) / Math.max(1, total));
    const pace = left ? ` · ${count(Math.round((total - done) / left))}/s` : '';
    line.show(
      `${percent}% · ${count(done)}/${count(total)}${pace} · ETA ${left === null ? '?' : clock(left)}`,
    );
  };
  const every = setInterval(draw, DRAW_EVERY);
  every.unref();
  return {
    draw,
    /** So many more items are done; fewer than none if a shard is to be done again. */
    add(items: number): void {
      done += items;
    },
    /** So many items are done, as far as is known. */
    set(items: number): void {
      done = items;
    },
    stop(): void {
      clearInterval(every);
      line.clear();
    },
  };
}
