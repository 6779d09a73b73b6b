/** The file that `--layers` names. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { OwnLayers } from '../convert/own-layers.js';
import { ExportError } from '../error.js';
import { reasonOf } from '../reason.js';

/**
 * Runs a module, and gives its default export.
 * @throws ExportError if it cannot be run, or exports no function
 */
export async function readLayers(file: string): Promise<OwnLayers> {
  const url = pathToFileURL(resolve(file)).href;
  const { default: own } = await import(url).catch((error) => {
    throw new ExportError(
      `Cannot run ${file} (--layers): ${existsSync(file) ? reasonOf(error) : 'there is no such file'}.`,
      { cause: error },
    );
  });
  if (typeof own !== 'function') {
    throw new ExportError(
      `${file} (--layers) has no function as its default export: write export default (tf) => [class …].`,
    );
  }
  return own;
}
