import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileError } from './atomic.js';

/**
 * A file that grows. Appended bytes survive a kill when `append` returns, and a power cut when `sync`
 * does.
 */
export interface GrowingFile {
  /** @throws UserError naming the path and the reason */
  append(bytes: Uint8Array): void;
  /** @throws UserError naming the path and the reason */
  sync(): void;
  close(): void;
}

/**
 * Opens a file for appending and creates it if it does not exist.
 * @throws UserError naming the path and the reason
 */
export function openToAppend(path: string): GrowingFile {
  const file = attempt(path, () => openSync(path, 'a'));
  let named = false;
  return {
    append: (bytes) =>
      attempt(path, () => {
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      }),
    sync: () =>
      attempt(path, () => {
        fsyncSync(file);
        if (!named) syncFolder(dirname(path));
        named = true;
      }),
    close: () => closeSync(file),
  };
}

/** Makes the name of a new file survive a power cut. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return; // it cannot open folders, and does not need this
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function attempt<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw fileError('write', path, error);
  }
}
