import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reasonOf, UserError } from '@gpn/runtime';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ensureWritableFolder, fileError, writeFileAtomic } from '../src/files/atomic.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atomic-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(dir, { recursive: true, force: true });
});

/** An operating system's error, as Node throws it. */
const errno = (code: string) =>
  Object.assign(new Error(`${code}: something`), { code, syscall: 'any' });

/** The class of file handles, which Node does not export. */
async function fileHandle() {
  const handle = await open(join(dir, 'any'), 'w');
  await handle.close();
  await rm(join(dir, 'any'));
  return Object.getPrototypeOf(handle) as typeof handle;
}

describe('writeFileAtomic', () => {
  test('writes text and bytes, replaces what was there and leaves nothing else', async () => {
    const path = join(dir, 'file');
    await writeFileAtomic(path, 'first');
    await writeFileAtomic(path, 'second');
    expect(await readFile(path, 'utf8')).toBe('second');
    await writeFileAtomic(path, Uint8Array.of(0, 255, 7));
    expect([...(await readFile(path))]).toEqual([0, 255, 7]);
    expect(await readdir(dir)).toEqual(['file']);
  });

  test('keeps the old contents under the name until the new ones are on disk', async () => {
    const path = join(dir, 'file');
    await writeFileAtomic(path, 'old');
    const handle = await fileHandle();
    const seen: string[] = [];
    const sync = handle.sync;
    vi.spyOn(handle, 'sync').mockImplementation(async function (this: typeof handle) {
      seen.push(await readFile(path, 'utf8'));
      return sync.call(this);
    });
    await writeFileAtomic(path, 'new');
    // The file is synced before it takes the name, the folder after.
    expect(seen).toEqual(['old', 'new']);
  });

  test.each([
    ['writeFile', 'ENOSPC', 'the disk is full'],
    ['sync', 'EDQUOT', 'the disk quota is used up'],
  ] as const)('a failing %s (%s) leaves the old file and no other', async (step, code, reason) => {
    const path = join(dir, 'file');
    await writeFileAtomic(path, 'old');
    vi.spyOn(await fileHandle(), step).mockRejectedValueOnce(errno(code));
    await expect(writeFileAtomic(path, 'new')).rejects.toThrow(
      new UserError(`Cannot write ${path}: ${reason}.`),
    );
    expect(await readdir(dir)).toEqual(['file']);
    expect(await readFile(path, 'utf8')).toBe('old');
  });

  test('refuses the name of a folder and leaves nothing behind', async () => {
    const path = join(dir, 'taken');
    await mkdir(path);
    await expect(writeFileAtomic(path, 'x')).rejects.toThrow(
      new UserError(`Cannot write ${path}: it is a folder.`),
    );
    expect(await readdir(dir)).toEqual(['taken']);
  });

  test('refuses a path in a missing folder', async () => {
    const path = join(dir, 'none', 'file');
    await expect(writeFileAtomic(path, 'x')).rejects.toThrow(
      new UserError(`Cannot write ${path}: no such file or folder.`),
    );
  });

  test('passes a mistake of the program on as it is', async () => {
    await expect(writeFileAtomic(join(dir, 'x'), 5 as unknown as string)).rejects.toThrow(
      TypeError,
    );
    expect(await readdir(dir)).toEqual([]);
  });
});

describe('ensureWritableFolder', () => {
  test('makes nested folders and leaves them empty', async () => {
    const path = join(dir, 'a', 'b');
    await ensureWritableFolder(path);
    await ensureWritableFolder(path);
    expect((await stat(path)).isDirectory()).toBe(true);
    expect(await readdir(path)).toEqual([]);
  });

  test('refuses a path at or below a file', async () => {
    const path = join(dir, 'file');
    await writeFile(path, '');
    await expect(ensureWritableFolder(path)).rejects.toThrow(
      new UserError(`Cannot write into ${path}: it exists and is not a folder.`),
    );
    await expect(ensureWritableFolder(join(path, 'deeper'))).rejects.toThrow(
      `Cannot write into ${join(path, 'deeper')}: a part of the path is a file, not a folder.`,
    );
  });

  test.skipIf(process.platform === 'win32')(
    'refuses a folder without permission to write',
    async () => {
      await chmod(dir, 0o555);
      const root = process.geteuid?.() === 0;
      if (root) process.seteuid?.(65534); // root may write anywhere, "nobody" may not
      try {
        const path = join(dir, 'new');
        await expect(ensureWritableFolder(path)).rejects.toThrow(
          new UserError(`Cannot write into ${path}: permission denied.`),
        );
      } finally {
        if (root) process.seteuid?.(0);
        await chmod(dir, 0o755);
      }
    },
  );

  // Node's own recursive mkdir would not return from this.
  test.runIf(process.platform === 'linux')('refuses a folder that cannot be made', async () => {
    await expect(ensureWritableFolder('/proc/none')).rejects.toThrow(
      new UserError('Cannot write into /proc/none: no such file or folder.'),
    );
  });
});

test('fileError turns file operations alone into sentences; unknown codes keep their text', () => {
  expect(fileError('read', 'x', errno('EACCES'))).toEqual(
    new UserError('Cannot read x: permission denied.'),
  );
  expect(fileError('read', 'x', errno('EIO'))).toEqual(
    new UserError('Cannot read x: EIO: something.'),
  );
  for (const other of [new TypeError('x'), new UserError('said'), errno('ERR_INVALID_ARG'), null]) {
    expect(fileError('read', 'x', other)).toBe(other);
  }
});

test('reasonOf takes the first line without its full stop', () => {
  expect(reasonOf(new Error('broken.\n  at somewhere'))).toBe('broken');
  expect(reasonOf('text')).toBe('text');
});

test('a folder is made, however many make its parents at the same time', async () => {
  for (let i = 0; i < 100; i++) {
    const all = Array.from({ length: 6 }, (_, k) => join(dir, `${i}`, 'runs', `run-${k}`));
    await Promise.all(all.map((folder) => ensureWritableFolder(folder)));
  }
});
