/** Atomic writes: a file is either written completely or not at all. */
import { randomBytes } from 'node:crypto';
import { access, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { reasonOf, UserError } from '@gpn/runtime';
import { hasLeft, markOf, self } from './owner.js';

/** What the operating system's error codes mean to a person. */
const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'it exists and is not a folder',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
};

/** Why a file operation failed, to embed in a sentence; undefined for any other error. */
export function fileReason(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return undefined;
  return REASONS[code] ?? reasonOf(error);
}

/** A UserError for a failed file operation; any other error is returned unchanged. */
export function fileError(action: string, path: string, error: unknown): unknown {
  const reason = fileReason(error);
  return reason === undefined ? error : new UserError(`Cannot ${action} ${path}: ${reason}.`);
}

/**
 * `.NAME.MARK.RANDOM.tmp`: the mark is that of the process that writes it. The same with `.old` is what
 * had the name NAME until what is written took its place.
 */
const TEMPORARY = /^\.(.*)\.([0-9a-f]+-\d+-\d*)\.[0-9a-f]+\.(tmp|old)$/;

/** A path beside `path` for what is not complete yet; `sweep` removes it if this process is killed. */
export const temporaryFor = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${markOf(self)}.${randomBytes(4).toString('hex')}.tmp`);

/** Milliseconds after which nobody is writing any more, where the process cannot be asked for. */
const DAY = 86_400_000;

const swept = new Set<string>();

/**
 * Removes what killed processes have left of their writing in a folder; what was about to be replaced
 * gets its name back if nothing has that name. A process does this once for each folder. A failure is
 * not reported, because whoever writes there meets the reason.
 */
export async function sweep(folder: string): Promise<void> {
  const full = resolve(folder);
  if (swept.has(full)) return;
  swept.add(full);
  for (const name of await readdir(full).catch(() => [])) {
    const [, of, mark, kind] = TEMPORARY.exec(name) ?? [];
    if (of === undefined || mark === undefined) continue;
    const [path, target] = [join(full, name), join(full, of)];
    const old = async () => Date.now() - (await stat(path)).mtimeMs > DAY;
    const left = hasLeft(mark) ?? (await old().catch(() => false));
    if (!left) continue;
    const isMissing = kind === 'old' && !(await exists(target));
    const done = isMissing ? rename(path, target) : rm(path, { recursive: true, force: true });
    await done.catch(() => {});
  }
}

/**
 * Makes a file atomically. At every moment, and after any crash, the path holds either the old
 * contents or all of the new ones: a temporary file in the same folder is written, synced and
 * renamed. A failure leaves no temporary file behind; that of a killed process is removed by the next
 * one that writes into the folder.
 *
 * @param write writes the temporary file of this path
 * @throws UserError naming the path and the reason
 */
export async function makeFileAtomic(
  path: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  const folder = dirname(resolve(path));
  const temporary = temporaryFor(resolve(path));
  try {
    await sweep(folder);
    await write(temporary);
    const file = await open(temporary, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(temporary));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // report the first failure
    throw fileError('write', path, error);
  }
}

/**
 * Writes a file as {@link makeFileAtomic} does.
 *
 * @throws UserError naming the path and the reason
 */
export const writeFileAtomic = (
  path: string,
  data: string | Uint8Array | AsyncIterable<Uint8Array | string>,
): Promise<void> =>
  makeFileAtomic(path, async (temporary) => {
    const file = await open(temporary, 'wx');
    try {
      // Node takes parts one by one, too; its types do not say so.
      await file.writeFile(data as string | Uint8Array);
    } finally {
      await file.close();
    }
  });

/** Makes new names in a folder survive a power cut. Windows cannot open folders and does not need this. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Creates the folder and its parents, and checks that a file can be written into it by writing one.
 * Permission bits are not enough: they miss read-only mounts and the root user. What an earlier
 * process has left there half written is removed.
 *
 * @throws UserError naming the folder and the reason
 */
export async function ensureWritableFolder(folder: string): Promise<void> {
  const probe = temporaryFor(join(folder, 'probe'));
  try {
    await makeFolder(resolve(folder));
    await sweep(folder);
    await (await open(probe, 'wx')).close();
    await rm(probe);
  } catch (error) {
    throw fileError('write into', folder, error);
  }
}

/**
 * Node's recursive mkdir never returns if the system refuses folders, as in Linux's /proc. Here each is
 * tried twice, because another process may make its parent between two looks.
 */
async function makeFolder(folder: string, again = true): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return;
    if (code !== 'ENOENT' || !again) throw error;
    if (!(await exists(dirname(folder)))) await makeFolder(dirname(folder));
    await makeFolder(folder, false);
    return;
  }
  await syncFolder(dirname(folder));
}

/** Whether a file or folder exists at a path. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
