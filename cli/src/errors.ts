import { type Explained, explain as explainAny } from '@gpn/export/command';

/** The exit code of a command that looked for something and found it, so that a script can act. */
export const FOUND = 3;

/** Some runs of a sweep failed, whose reasons have been printed; the others are done. */
export class RowsFailed extends Error {
  override readonly name = 'RowsFailed';
}

/** What to print for an error that ended a command, and the exit code. */
export const explain = (thrown: unknown): Explained =>
  thrown instanceof RowsFailed
    ? { text: `gpn-cli: ${thrown.message}\n`, exitCode: 1 }
    : explainAny(thrown, 'gpn-cli');
