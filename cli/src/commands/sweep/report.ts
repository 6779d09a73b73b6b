import { RowsFailed } from '../../errors.js';
import { print } from '../../terminal/print.js';
import { meansText, type Results } from './results.js';

/** Prints results. @throws RowsFailed if some rows have none */
export function report(
  results: Results,
  files: readonly string[],
  json: boolean | undefined,
): void {
  const text = `${meansText(results)}\n${files.map((file) => `${file}\n`).join('')}`;
  print(json ? `${JSON.stringify(results, null, 2)}\n` : text);
  const failed = results.rows.filter((row) => row.failed !== undefined);
  if (failed.length > 0) {
    throw new RowsFailed(
      `${failed.length} of ${results.rows.length} runs failed, for the reasons above; the others are done.`,
    );
  }
}
