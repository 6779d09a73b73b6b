/** Ctrl-C, and SIGTERM: the first asks for an end at which nothing is lost, the second ends at once. */
import { printAside } from './print.js';

/** Exit codes of a process that a signal ended: by convention, 128 and the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type Name = keyof typeof EXIT_CODES;

/** The reason of what was interrupted. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(by: Name) {
    super(`interrupted by ${by}`);
    this.exitCode = EXIT_CODES[by];
  }
}

/** What was asked to end. */
export interface Interrupt {
  /** Its reason is an `Interrupted`. */
  readonly signal: AbortSignal;
  /** Leaves the signals to the system again. */
  release(): void;
}

/**
 * Listens to both signals.
 * @param sentence what happens before the end, said at the first of them; undefined where a program reads
 * @param tidy called before the second ends the process: a bar changes how a terminal wraps its lines
 */
export function interruptible(
  sentence: string | undefined,
  tidy: () => void = () => {},
): Interrupt {
  const controller = new AbortController();
  const names = Object.keys(EXIT_CODES) as Name[];
  const heard = (name: Name): void => {
    if (controller.signal.aborted) {
      tidy();
      process.exit(EXIT_CODES[name]);
    }
    controller.abort(new Interrupted(name));
    if (sentence === undefined) return;
    printAside(`\ngpn-cli: ${sentence}; press Ctrl-C again to stop at once.\n`);
  };
  for (const name of names) process.on(name, heard);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of names) process.off(name, heard);
    },
  };
}

/** Ends the process if it was interrupted, with the exit code of the signal. */
export function exitIfInterrupted({ signal }: Interrupt, sentence: string): void {
  if (!signal.aborted) return;
  printAside(`gpn-cli: ${sentence}\n`);
  process.exit((signal.reason as Interrupted).exitCode);
}
