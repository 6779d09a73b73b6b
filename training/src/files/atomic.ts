/** Atomic writes: a file is either written completely or not at all. */
import { randomBytes } from 'node:crypto';
import { access, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { reasonOf, UserError } from '@gpn/runtime';

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
 * A name in the folder of `path`, for this process alone, to be written before it takes the name `path`:
 * `.NAME.PROCESS.RANDOM.tmp`. The same with `.old` is for what was at `path`.
 */
export const temporaryPath = (path: string): string =>
  join(
    dirname(resolve(path)),
    `.${basename(path)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`,
  );

const TEMPORARY = /^\.(.+)\.(\d+)\.[0-9a-f]{12}\.(tmp|old)$/;

/** Whether the process that wrote a file has ended. */
async function isOrphan(path: string, writer: number): Promise<boolean> {
  // In a container each process may have the number of the one before it.
  if (writer === process.pid) {
    return (await stat(path)).mtimeMs < Date.now() - 1000 * process.uptime();
  }
  try {
    process.kill(writer, 0); // only asks
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/**
 * Removes what processes that were killed have left in a folder under temporary names. What was
 * about to be replaced gets its name back if nothing has that name.
 *
 * @param name only the leftovers of this file or folder
 */
export async function removeLeftovers(folder: string, name?: string): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    const [, of = '', writer, kind] = TEMPORARY.exec(entry) ?? [];
    if (of === '' || (name ?? of) !== of) continue;
    const [path, target] = [join(folder, entry), join(folder, of)];
    try {
      if (!(await isOrphan(path, Number(writer)))) continue;
      if (kind === 'old' && !(await exists(target))) await rename(path, target);
      else await rm(path, { recursive: true });
    } catch {
      // Another process removes it, or it is not ours to remove: it does no harm.
    }
  }
}

/**
 * Writes a file atomically. At every moment, and after any crash, the path holds either the old
 * contents or all of the new ones: a temporary file in the same folder is written, synced and
 * renamed. A failure leaves no temporary file behind.
 *
 * @throws UserError naming the path and the reason
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(data);
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

/** Makes a rename survive a power cut. Windows cannot open folders and does not need this. */
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
  const probe = join(folder, `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await makeFolder(resolve(folder));
    await (await open(probe, 'wx')).close();
    await rm(probe);
    await removeLeftovers(folder);
  } catch (error) {
    throw fileError('write into', folder, error);
  }
}

/** Node's recursive mkdir never returns if the system refuses folders, as in Linux's /proc. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return;
    if (code !== 'ENOENT' || (await exists(dirname(folder)))) throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder);
  }
}

/** Whether a file or folder exists at a path. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
