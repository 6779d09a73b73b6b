/** The files below a folder, without what systems and programs leave there. */
import type { Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { fileError, fileReason } from '../../files/atomic.js';
import { HEAD } from './kinds.js';

/** Files of a folder that are asked about or opened at the same time. */
export const AT_ONCE = 32;

/** A file below a folder. */
export interface FoundFile {
  /** Relative to the folder, with `/`, as it is on the disk. */
  readonly path: string;
  readonly size: number;
  /** Time of the last change, in milliseconds. */
  readonly modified: number;
}

/** What is below a folder. */
export interface Tree {
  /** Sorted by code units. */
  readonly files: readonly FoundFile[];
  /** The sub-folders that are directly in the folder or in one of those, sorted. */
  readonly folders: readonly string[];
  /** What cannot be opened, sorted, with the reason as the end of a sentence. */
  readonly problems: readonly Problem[];
}

/** A file that cannot be read, with the reason as the end of a sentence whose subject is the file. */
export interface Problem {
  readonly file: string;
  readonly reason: string;
}

/** What Finder, Explorer, Synology's and others' systems leave beside pictures. */
const JUNK =
  /^(\.|__MACOSX$|@eaDir$|#recycle$|\$RECYCLE\.BIN$|lost\+found$|Thumbs\.db$|desktop\.ini$)/i;

/**
 * Finds all files at any depth. Links to files are followed, links to folders only directly in the
 * folder.
 *
 * @throws UserError if the folder cannot be read
 */
export async function filesBelow(folder: string): Promise<Tree> {
  const files: FoundFile[] = [];
  const folders: string[] = [];
  const problems: Problem[] = [];
  const add = async (entry: Dirent, path: string, depth: number): Promise<void> => {
    const found = await stat(join(folder, path));
    if (entry.isSymbolicLink() && found.isDirectory() && depth > 0) return;
    if (!found.isDirectory()) {
      const { size, mtimeMs: modified } = found;
      files.push({ path, size, modified });
      return;
    }
    if (depth < 2) folders.push(path);
    await walk(path, depth + 1);
  };
  const walk = async (within: string, depth: number): Promise<void> => {
    const entries = await readdir(join(folder, within), { withFileTypes: true });
    const visit = async (entry: Dirent): Promise<void> => {
      const path = within === '' ? entry.name : `${within}/${entry.name}`;
      await add(entry, path, depth).catch((error: unknown) => {
        problems.push({ file: path, reason: whyNot(entry, error) });
      });
    };
    const kept = entries.filter(({ name }) => !JUNK.test(name));
    await pMap(kept, visit, { concurrency: AT_ONCE });
  };
  await walk('', 0).catch((error: unknown) => {
    throw fileError('read', folder, error);
  });
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  problems.sort((a, b) => (a.file < b.file ? -1 : 1));
  return { files, folders: folders.sort(), problems };
}

function whyNot(entry: Dirent, error: unknown): string {
  const reason = fileReason(error);
  if (reason === undefined) throw error;
  const { code } = error as NodeJS.ErrnoException;
  const dangles = entry.isSymbolicLink() && code === 'ENOENT';
  return dangles ? 'is a link to a file that does not exist' : `cannot be opened (${reason})`;
}

/** The first bytes of a file. */
export async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD), 0, HEAD, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
