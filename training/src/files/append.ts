import { closeSync, openSync, writeSync } from 'node:fs';
import { fileError } from './atomic.js';

/** A file that grows. Appended bytes are written when `append` returns and survive a kill. */
export interface GrowingFile {
  /** @throws UserError naming the path and the reason */
  append(bytes: Uint8Array): void;
  close(): void;
}

/**
 * Opens a file for appending and creates it if it does not exist.
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
