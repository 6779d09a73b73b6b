import { printable } from './terminal/print.js';

/** The exit code of a command that looked for something and found it, so that a script can act. */
export const FOUND = 3;

/** Some runs of a sweep failed, whose reasons have been printed; the others are done. */
export class RowsFailed extends Error {
  override readonly name = 'RowsFailed';
}

/**
 * What to print for an error that ended a command, and the exit code: one sentence and 2 for the
 * user's mistakes, the stack and 1 for bugs.
 */
export function explain(thrown: unknown): { text: string; exitCode: 1 | 2 } {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (error instanceof RowsFailed) return { text: `gpn-cli: ${error.message}\n`, exitCode: 1 };
  // Compared by name, because importing the class would load the whole runtime.
  if (error.name === 'UserError')
    return {
      text: `gpn-cli: ${printable(error.message.replaceAll(/\r?\n/g, ' '))}\n`,
      exitCode: 2,
    };
  return {
    text: `gpn-cli: This is a bug in gpn-cli; please report it with the lines below.\n${printable(error.stack ?? String(error))}\n`,
    exitCode: 1,
  };
}
