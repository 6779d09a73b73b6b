/** Files that are either wholly written or not there at all. */
import { randomBytes } from 'node:crypto';
import { access, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '@gpn/runtime';

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

/** The first line of whatever was thrown, without its final full stop: a part of a sentence. */
export function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return (text.trim().split('\n')[0] ?? '').replace(/\.$/, '');
}

/** Why a file operation failed, as a part of a sentence; undefined if it was no file operation. */
export function fileReason(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return undefined;
  return REASONS[code] ?? reasonOf(error);
}

/** What `error` becomes for the user: a sentence if a file operation failed, else itself. */
export function fileError(action: string, path: string, error: unknown): unknown {
  const reason = fileReason(error);
  return reason === undefined ? error : new UserError(`Cannot ${action} ${path}: ${reason}.`);
}

/**
 * Writes a file so that its name means, at every moment and after any crash, either the old
 * contents or all of the new ones: a temporary file in the same folder is filled, synced and
 * renamed over it. A failure leaves nothing behind.
 *
 * @throws UserError naming the path and the reason
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  const folder = dirname(resolve(path));
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the first failure is the one to tell
    throw fileError('write', path, error);
  }
}

/** Makes a rename last through a power cut. Windows opens no folders, and needs no such thing. */
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
 * Makes the folder, and those above it, and tries that a file can be written into it: permission
 * bits alone don't tell (read-only mounts, the root user).
 *
 * @throws UserError naming the folder and the reason
 */
export async function ensureWritableFolder(folder: string): Promise<void> {
  const probe = join(folder, `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await makeFolder(resolve(folder));
    await (await open(probe, 'wx')).close();
    await rm(probe);
  } catch (error) {
    throw fileError('write into', folder, error);
  }
}

/** Node's recursive mkdir never returns where the system makes no folders, in Linux's /proc say. */
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

/** Whether there is a file or folder of that name. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
