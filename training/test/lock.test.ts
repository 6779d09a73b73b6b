import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { expect, test } from 'vitest';
import { writeFileAtomic } from '../src/files/atomic.js';
import { lockFolder, refuseIfLocked } from '../src/files/lock.js';
import { hasEnded, hasLeft, markOf, self } from '../src/files/owner.js';
import { temporaryFolder } from './temp-folder.js';

const dir = await temporaryFolder();

/** The number of a process that has ended. */
const ended = (): number => spawnSync(process.execPath, ['-e', '']).pid;

/** Puts down the lock of another process, and returns its path. */
async function lockOf(folder: string, owner: object, ago = 0): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, '.lock-0123456789ab');
  const since = '2026-01-01T00:00:00.000Z';
  writeFileSync(path, `${JSON.stringify({ ...self, since, ...owner })}\n`);
  const then = new Date(Date.now() - ago);
  utimesSync(path, then, then);
  return path;
}

const elsewhere = { place: 'another computer', host: 'other', boot: 'other' };

test('a locked folder is refused until it is given back, and an empty new one is removed then', async () => {
  const folder = join(dir, 'a/b');
  const lock = await lockFolder(folder);
  lock.check();
  const refusal = `${folder} is in use by another training (process ${process.pid} on `;
  await expect(lockFolder(folder)).rejects.toThrow(refusal);
  await expect(refuseIfLocked(folder)).rejects.toThrow(UserError);
  await lock.release();
  expect(existsSync(join(dir, 'a'))).toBe(false);
  await refuseIfLocked(folder);
  const again = await lockFolder(folder);
  expect(again.dead).toEqual([]);
  writeFileSync(join(folder, 'file'), '');
  await again.release();
  expect(readdirSync(folder)).toEqual(['file']);
});

test('of many that want a folder at the same moment, exactly one gets it', async () => {
  for (const name of ['c', 'd', 'e']) {
    const asked = Array.from({ length: 6 }, () => lockFolder(join(dir, name)));
    const locks = (await Promise.allSettled(asked)).filter(({ status }) => status === 'fulfilled');
    expect(locks).toHaveLength(1);
    for (const lock of await Promise.allSettled(asked)) {
      if (lock.status === 'fulfilled') await lock.value.release();
    }
  }
});

test.each<[string, () => object, number]>([
  ['a process that has ended', () => ({ pid: ended() }), 0],
  ['a process whose number another one has now', () => ({ started: '1' }), 0],
  ['a computer that was started again', () => ({ ...elsewhere, host: self.host }), 0],
  ['another computer that shows no sign of life', () => elsewhere, 600_000],
])('the lock of %s is removed, and said', async (_, owner, ago) => {
  const folder = join(dir, 'dead');
  const path = await lockOf(folder, owner(), ago);
  const lock = await lockFolder(folder);
  expect(lock.dead).toHaveLength(1);
  expect(existsSync(path)).toBe(false);
  await lock.release();
});

test('the lock of another computer that lives is respected, and how to remove it is said', async () => {
  const folder = join(dir, 'shared');
  const path = await lockOf(folder, elsewhere);
  await expect(lockFolder(folder)).rejects.toThrow(
    `If that one has ended, remove ${path} and try again.`,
  );
});

test('a lock that a power cut has emptied does not count', async () => {
  const folder = join(dir, 'empty');
  writeFileSync(await lockOf(folder, {}), '');
  await (await lockFolder(folder)).release();
});

test('a lock that somebody has removed is missed at the next checkpoint', async () => {
  const folder = join(dir, 'robbed');
  const lock = await lockFolder(folder);
  const [name = ''] = readdirSync(folder);
  expect(JSON.parse(readFileSync(join(folder, name), 'utf8')).pid).toBe(process.pid);
  await rm(join(folder, name));
  expect(() => lock.check()).toThrow('is no longer held by this training');
  await lock.release();
});

test('a process that runs has not ended; one of another place cannot be asked for', async () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 1e6)']);
  expect(hasEnded(self)).toBe(false);
  expect(hasEnded({ ...self, ...elsewhere })).toBe(undefined);
  expect(hasLeft(markOf(self))).toBe(false);
  expect(hasLeft(markOf({ ...self, pid: ended() }))).toBe(true);
  expect(hasLeft(markOf({ ...self, ...elsewhere }))).toBe(undefined);
  child.kill();
});

test('what killed processes have left of their writing is removed by the next that writes there', async () => {
  const folder = join(dir, 'left');
  await mkdir(folder);
  const name = (owner: typeof self) => `.model.onnx.${markOf(owner)}.00ff00ff.tmp`;
  const [dead, alive, old, far] = [
    name({ ...self, pid: ended() }),
    name(self),
    name({ ...self, ...elsewhere }),
    name({ ...self, ...elsewhere, place: 'a third' }),
  ];
  for (const each of [dead, alive, old, far, '.hidden', 'x.tmp'])
    writeFileSync(join(folder, each), '');
  const longAgo = new Date(Date.now() - 2 * 86_400_000);
  utimesSync(join(folder, old), longAgo, longAgo);
  await writeFileAtomic(join(folder, 'other'), '');
  expect(readdirSync(folder).sort()).toEqual([alive, far, '.hidden', 'other', 'x.tmp'].sort());
});
