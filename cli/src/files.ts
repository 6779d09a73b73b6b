/** Checks that output can be written before any work is done, and the standard streams. */
import { existsSync } from 'node:fs';
import { mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '@gpn/runtime';
import { fileReason, sweep, temporaryFor } from '@gpn/training/atomic';

type Kind = 'file' | 'folder';

/** What is at `path`; null if nothing is there or the path leads through a file. */
export async function kindOf(path: string): Promise<Kind | null> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return null;
  }
}

/** @throws UserError if there is no folder at a path; the option named it */
export async function checkFolder(path: string, option: string): Promise<void> {
  if ((await kindOf(path)) !== 'folder') throw new UserError(`${option} ${path} is not a folder.`);
}

/** A path itself if it exists, or the nearest folder above it that does. */
export const nearestExisting = (path: string): string =>
  existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));

/**
 * Checks that a file or folder can be made at `path`, and leaves nothing behind, not even what a
 * command that was killed has left of it. It makes a folder in the nearest folder that exists, because
 * permission bits alone do not tell (read-only mounts, root).
 *
 * @param option the option that named the path
 * @throws UserError naming the path, the option and the reason
 */
export async function checkWritable(path: string, kind: Kind, option: string): Promise<void> {
  const full = resolve(path); // removes a slash at the end
  await sweep(nearestExisting(dirname(full)));
  const existing = await kindOf(full);
  const refuse = (reason: string) => new UserError(`Cannot write ${path} (${option}): ${reason}.`);
  if (existing && existing !== kind) throw refuse(`it is a ${existing}, not a ${kind}`);
  const folder = nearestExisting(existing === 'folder' ? full : dirname(full));
  const probe = temporaryFor(join(folder, 'probe'));
  try {
    await mkdir(probe);
    await rmdir(probe);
  } catch (error) {
    throw refuse(`nothing can be created in ${folder}, ${fileReason(error) ?? error}`);
  }
}

/** All of the standard input. */
export async function readStdin(): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of process.stdin) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}

/** Writes to the standard output, and waits until everything is written. */
export const writeStdout = (bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) =>
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve())),
  );
