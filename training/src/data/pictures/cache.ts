/**
 * Decoded sets of pictures on the disk, so that only the first start of a training decodes them, and that
 * a set may be larger than the memory.
 *
 * An entry is a file: the pixels, image by image; a byte for each label, if there are any; a JSON text
 * that says the rest; and its length with a mark. It is written as a whole or not at all.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageSize } from '@gpn/runtime';
import { sweep, temporaryFor } from '../../files/atomic.js';
import type { Problem } from './files.js';

/** What an entry says about its images. */
export interface EntryInfo extends ImageSize {
  readonly count: number;
  readonly classes?: readonly string[];
  readonly unread: readonly Problem[];
  /** Sentences about what was read. */
  readonly notes: readonly string[];
}

/** An entry that is complete. */
export interface Entry extends EntryInfo {
  readonly path: string;
  readonly labels?: Uint8Array;
}

/** An entry that is being written. */
export interface Draft {
  append(pixels: Uint8Array): Promise<void>;
  /** Completes the entry. */
  finish(info: EntryInfo, labels?: Uint8Array): Promise<Entry>;
  /** Removes what was written. */
  discard(): Promise<void>;
}

const VERSION = 1;
const MARK = 'GPNIMGS1';
/** The length of the JSON text and the mark. */
const TAIL = 4 + MARK.length;

const SUFFIX = '.images';
const pathOf = (folder: string, key: string): string => join(folder, key + SUFFIX);

/** Milliseconds after which an entry that nobody used is removed: thirty days. */
const UNUSED = 30 * 86_400_000;

/** The name of an entry: a hash of all that its contents depend on. */
export const keyOf = (what: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify([VERSION, what]))
    .digest('hex')
    .slice(0, 32);

/** Finds an entry. One that is not complete counts as none. */
export async function findEntry(folder: string, key: string): Promise<Entry | undefined> {
  const path = pathOf(folder, key);
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return undefined;
  const read = async (at: number, length: number) =>
    (await file.read(Buffer.alloc(length), 0, length, at)).buffer;
  try {
    const { size } = await file.stat();
    const tail = await read(Math.max(0, size - TAIL), TAIL);
    if (tail.toString('latin1', 4) !== MARK) return undefined;
    const length = tail.readUInt32LE(0);
    const { labelled, ...info } = JSON.parse(
      (await read(size - TAIL - length, length)).toString(),
    ) as EntryInfo & { labelled: boolean };
    const pixels = info.count * info.height * info.width * info.channels;
    if (pixels + (labelled ? info.count : 0) + length + TAIL !== size) return undefined;
    const labels = labelled ? new Uint8Array(await read(pixels, info.count)) : undefined;
    const now = new Date();
    await utimes(path, now, now).catch(() => {}); // says that it is in use
    return { ...info, path, ...(labels && { labels }) };
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

/** Begins an entry. What killed processes have left, and what was not used for a month, is removed. */
export async function draftEntry(folder: string, key: string): Promise<Draft> {
  await mkdir(folder, { recursive: true });
  await sweep(folder);
  await forget(folder);
  const path = pathOf(folder, key);
  const temporary = temporaryFor(path);
  const file = await open(temporary, 'wx');
  const append = async (bytes: Uint8Array) => void (await file.appendFile(bytes));
  return {
    append,
    async finish(info, labels) {
      if (labels) await append(labels);
      const json = Buffer.from(JSON.stringify({ ...info, labelled: labels !== undefined }));
      const tail = Buffer.alloc(TAIL);
      tail.writeUInt32LE(json.length, 0);
      tail.write(MARK, 4, 'latin1');
      await append(Buffer.concat([json, tail]));
      await file.sync();
      await file.close();
      await rename(temporary, path);
      return { ...info, path, ...(labels && { labels }) };
    },
    async discard() {
      await file.close().catch(() => {});
      await rm(temporary, { force: true }).catch(() => {});
    },
  };
}

async function forget(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith(SUFFIX)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > UNUSED) await rm(path, { force: true }).catch(() => {});
  }
}
