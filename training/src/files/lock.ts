/**
 * The lock of a folder: one process at a time writes into it. Each process that wants the folder puts
 * down a file of its own and then looks for those of others, so two of them cannot miss one another,
 * and nobody ever removes the lock of a process that runs. A lock whose owner has ended does not count.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '@gpn/runtime';
import * as z from 'zod';
import { ensureWritableFolder, fileError, writeFileAtomic } from './atomic.js';
import { hasEnded, self } from './owner.js';

/** A held lock. */
export interface FolderLock {
  /** The owners, now ended, that never gave the folder back; to embed in a sentence. */
  readonly dead: readonly string[];
  /** @throws UserError if the lock is gone: somebody removed it, or took it for that of a dead process */
  check(): void;
  /** Gives the folder back, and removes it if it is empty and did not exist before. */
  release(): Promise<void>;
}

const schema = z.object({
  pid: z.int(),
  started: z.string(),
  place: z.string(),
  host: z.string(),
  boot: z.string(),
  since: z.string(),
});

interface Found {
  readonly path: string;
  /** Undefined if the file is not whole, as after a power cut, which no owner survives. */
  readonly owner?: z.infer<typeof schema>;
  /** When its owner last showed that it lives, by the clock of the file system; milliseconds. */
  readonly seen: number;
}

const NAME = /^\.lock-[0-9a-f]+$/;

/** Milliseconds between two signs of life in a lock; only other computers and containers need them. */
const BEAT = 15_000;
/** Milliseconds without a sign of life after which a process of another computer counts as dead. */
const SILENCE = 300_000;
/** Milliseconds, on average, after which processes that started at the same moment try again. */
const PAUSE = 20;

/**
 * Takes the lock of a folder, which is created if it does not exist.
 * @throws UserError if another process has it, or the folder cannot be written
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const made = missing(resolve(folder));
  await ensureWritableFolder(folder);
  const path = join(resolve(folder), `.lock-${randomBytes(6).toString('hex')}`);
  const text = `${JSON.stringify({ ...self, since: new Date().toISOString() })}\n`;
  const dead: string[] = [];
  for (;;) {
    await refuseLocked(folder, dead);
    await writeFileAtomic(path, text);
    if (!(await living(folder, dead, path))) break;
    // Somebody has started at the same moment, and steps back as well.
    await rm(path, { force: true });
    await sleep(2 * PAUSE * Math.random());
  }
  // Written anew rather than given a time: the clock of a file server is the same for all.
  const beat = setInterval(() => void rewrite(path, text).catch(() => {}), BEAT).unref();
  return {
    dead: [...new Set(dead)],
    check() {
      if (existsSync(path)) return;
      throw new UserError(
        `${folder} is no longer held by this training: its lock was removed, by hand or by another training; give another --out.`,
      );
    },
    async release() {
      clearInterval(beat);
      await rm(path, { force: true });
      for (const each of made) {
        const removed = await rmdir(each).catch(() => false); // not empty: it is kept
        if (removed === false) break;
      }
    },
  };
}

/** Refuses a folder that another process holds, and changes nothing. */
export const refuseIfLocked = (folder: string): Promise<void> => refuseLocked(folder);

async function refuseLocked(folder: string, dead?: string[]): Promise<void> {
  const other = await living(folder, dead);
  if (!other?.owner) return;
  const { pid, host, since, place } = other.owner;
  const elsewhere =
    place === self.place ? '' : ` If that one has ended, remove ${other.path} and try again.`;
  throw new UserError(
    `${folder} is in use by another training (process ${pid} on ${host}, since ${since}): wait for its end, stop it, or give another --out.${elsewhere}`,
  );
}

/**
 * A lock of another process that runs.
 * @param dead gets the owners that have ended, whose locks are then removed
 * @param mine the path of the caller's own lock
 */
async function living(folder: string, dead?: string[], mine?: string): Promise<Found | undefined> {
  const names = await readdir(folder).catch(() => []);
  const paths = names.filter((name) => NAME.test(name)).map((name) => join(resolve(folder), name));
  const found = await Promise.all(paths.filter((path) => path !== mine).map(read));
  const now = mine ? (await stat(mine)).mtimeMs : Date.now();
  for (const lock of found.filter((lock) => lock !== undefined)) {
    if (!isDead(lock, now)) return lock;
    if (!dead) continue;
    await rm(lock.path, { force: true });
    if (lock.owner) dead.push(`process ${lock.owner.pid} on ${lock.owner.host}`);
  }
  return undefined;
}

const isDead = ({ owner, seen }: Found, now: number): boolean =>
  !owner || (hasEnded(owner) ?? now - seen > SILENCE);

/** Undefined if the file has just been removed. */
async function read(path: string): Promise<Found | undefined> {
  try {
    const { mtimeMs: seen } = await stat(path);
    const { success, data } = schema.safeParse(parseJson(await readFile(path, 'utf8')));
    return success ? { path, seen, owner: data } : { path, seen };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError('read', path, error);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function rewrite(path: string, text: string): Promise<void> {
  const file = await open(path, 'r+'); // not created anew if it was removed
  try {
    await file.write(text, 0);
  } finally {
    await file.close();
  }
}

/** The folders of a path that do not exist, the innermost first. */
const missing = (folder: string): string[] =>
  existsSync(folder) ? [] : [folder, ...missing(dirname(folder))];
