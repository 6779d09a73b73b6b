/** Writes a folder as a whole. */
import { lstatSync, renameSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { WebFile } from '@gpn/runtime';
import { fileError, temporaryFor } from '@gpn/training/atomic';

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/**
 * Puts a folder of these files in the place of what is at `output`. The files are written beside it
 * first, so whenever this ends, even by a kill or a power cut, the folder is the old one or the new
 * one. Between the two renames it is neither: who is killed in that instant leaves the old one for
 * `sweep` to put back.
 *
 * @throws UserError naming the folder and the reason
 */
export async function replaceFolder(output: string, files: readonly WebFile[]): Promise<void> {
  const target = resolve(output);
  const fresh = temporaryFor(target);
  const old = fresh.replace(/tmp$/, 'old');
  try {
    for (const { path, bytes } of files) {
      await mkdir(dirname(join(fresh, path)), { recursive: true });
      await writeFile(join(fresh, path), bytes, { flush: true });
    }
    if (isThere(target)) renameSync(target, old);
    renameSync(fresh, target);
  } catch (error) {
    if (isThere(old) && !isThere(target)) renameSync(old, target);
    throw fileError('write', output, error);
  } finally {
    await Promise.all([fresh, old].map((path) => rm(path, { recursive: true, force: true })));
  }
}
