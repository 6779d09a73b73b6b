/** What a training asks of the machine: Node's answers. In a page `page.ts` is imported as `#host`. */
import { openSync, readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { findPretrained } from '@gpn/models/pretrained';
import { fileError } from '../atomic.js';

export { dirname, resolve } from 'node:path';

/** The bytes of a file. @throws UserError if it cannot be read */
export function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileError('read', path, error);
  }
}

/** The path of a model that may be given by the name of a bundled one. */
export const pathOfModel = (model: string): string => findPretrained(model)?.path ?? model;

/** What the module in a file exports; Node takes in both kinds at once. */
export const load = (path: string): unknown => createRequire(path)(path);

/** The files that this thread has open. A file that is removed meanwhile can still be read. */
const files = new Map<string, number>();

/** Reads a part of a large file into an array. @returns how many bytes there were */
export function readAt(path: string, into: Uint8Array, at: number, length: number, place: number) {
  const file = files.get(path) ?? openSync(path, 'r');
  files.set(path, file);
  return readSync(file, into, at, length, place);
}
