import { closeSync, openSync, writeSync } from 'node:fs';
import { fileError } from './atomic.js';

/** A file that grows: what was added is written when `append` returns, and outlives a kill. */
export interface GrowingFile {
  /** @throws UserError naming the path and the reason */
  append(bytes: Uint8Array): void;
  close(): void;
}

/**
 * Opens a file to add to; makes it if need be.
 * @throws UserError naming the path and the reason
 */
export function openToAppend(path: string): GrowingFile {
  const file = attempt(path, () => openSync(path, 'a'));
  return {
    append: (bytes) =>
      attempt(path, () => {
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      }),
    close: () => closeSync(file),
  };
}

function attempt<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw fileError('write', path, error);
  }
}
