/** What a sweep shows as it goes: a table on a terminal, elsewhere lines about its rows. */
import { format, MEASURES } from '@gpn/training';
import { printable } from '../../terminal/print.js';
import { clock } from '../../terminal/progress.js';
import { type Head, mainOf, meansText, type Outcome, resultsOf } from './results.js';

/** Milliseconds between two drawings. */
const DRAW_EVERY = 500;

/** Seconds between two lines about a row that runs, if the output is no terminal but a log. */
const LINE_EVERY = 30;

export interface Board {
  /** A row that runs says what it does. */
  say(name: string, text: string): void;
  ended(outcome: Outcome): void;
  stop(): void;
}

/**
 * @param total how many rows there are
 * @param before the outcomes of those that were done before
 * @param jobs how many run at the same time
 */
export function createBoard(
  stream: NodeJS.WriteStream,
  head: Head,
  { total, before, jobs }: { total: number; before: readonly Outcome[]; jobs: number },
  now = () => performance.now() / 1000,
): Board {
  const outcomes = [...before];
  const running = new Map<string, string>();
  const lastLine = new Map<string, number>();
  const begun = now();
  let drawn = 0;

  const left = (): string => {
    const here = outcomes.length - before.length;
    const rest = total - outcomes.length;
    if (rest === 0) return `${total} runs in ${clock(now() - begun)}`;
    // The first ones end together: until then, nothing is known.
    const seconds = here >= Math.min(jobs, rest + here) && ((now() - begun) / here) * rest;
    return `${outcomes.length} of ${total} runs, ETA ${seconds === false ? '?' : clock(seconds)}`;
  };
  const frame = (): string[] => [
    ...meansText(resultsOf(head, outcomes)).trimEnd().split('\n'),
    ...[...running].map(([name, text]) => `▸ ${name} · ${text}`),
    left(),
  ];
  const clear = (): void => {
    if (drawn > 0) stream.write(`\x1b[${drawn}A\x1b[0J`);
    drawn = 0;
  };
  const draw = (): void => {
    clear();
    // Lines that wrap or leave the screen could not be drawn over.
    const lines = frame().slice(1 - (stream.rows ?? 24));
    const width = (stream.columns ?? 80) - 1;
    stream.write(lines.map((line) => `${printable(line).slice(0, width)}\n`).join(''));
    drawn = lines.length;
  };
  const timer = stream.isTTY ? setInterval(draw, DRAW_EVERY) : undefined;

  return {
    say(name, text) {
      running.set(name, text);
      if (stream.isTTY || now() - (lastLine.get(name) ?? Number.NEGATIVE_INFINITY) < LINE_EVERY)
        return;
      lastLine.set(name, now());
      stream.write(printable(`▸ ${name} · ${text}\n`));
    },
    ended(outcome) {
      running.delete(outcome.name);
      outcomes.push(outcome);
      const line = `${lineOf(head, outcome)} (${left()})\n`;
      if (stream.isTTY && outcome.failed === undefined) return;
      clear(); // a failure stays above the table
      stream.write(printable(line));
    },
    stop() {
      clearInterval(timer);
      clear();
    },
  };
}

/** A row that has ended, on a line. */
export function lineOf(head: Head, outcome: Outcome): string {
  const { name, failed, scores } = outcome;
  if (failed !== undefined) return `${name} failed: ${failed}`;
  const main = mainOf(resultsOf(head, [outcome]));
  const value = main && scores?.[main];
  if (!main || value === null || value === undefined) return name;
  return `${name}: ${MEASURES[main].title} ${format(value, MEASURES[main])}`;
}
