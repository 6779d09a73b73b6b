import { printAside } from '../../terminal/print.js';

/** What a command that can be interrupted has to watch, and to do at its end. */
interface Interruptible {
  readonly signal: AbortSignal;
  release(): void;
  /** Ends the process with the exit code of the signal, if there was one. */
  exitIfInterrupted(): void;
}

/** Exit codes of a process that a signal ended: by convention, 128 and the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** The first Ctrl-C (or SIGTERM) stops all trainings at a checkpoint; the second one at once. */
export function interruptible(tidy: () => void): Interruptible {
  const controller = new AbortController();
  let by: keyof typeof SIGNALS | undefined;
  const stop = (name: keyof typeof SIGNALS): void => {
    tidy();
    if (by) process.exit(SIGNALS[name]);
    by = name;
    printAside(
      '\ngpn-cli: Saving checkpoints before stopping; press Ctrl-C again to stop at once.\n',
    );
    controller.abort();
  };
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  for (const name of names) process.on(name, stop);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of names) process.off(name, stop);
    },
    exitIfInterrupted: () => {
      if (!by) return;
      printAside('gpn-cli: Stopped; the same command goes on from here.\n');
      process.exit(SIGNALS[by]);
    },
  };
}
