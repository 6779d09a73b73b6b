/**
 * What a power cut may leave of the files that a recorded process has written (see recorder.c). A file
 * system promises only what was synced: the bytes of a file before its `sync`, the names in a folder
 * before its `order`. Of the rest, any writes of a file may be there or not, and of the changes to the
 * names in a folder the first ones.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** An operation of a process on a file or a name. */
export interface Operation {
  readonly name: string;
  readonly inode: string;
  /** Of a write; the new size of a file that is truncated. */
  readonly offset: number;
  readonly path: string;
  /** The new path of a renamed file. */
  readonly to?: string;
  readonly bytes: Buffer;
}

/** Reads the trace of a process. */
export function readTrace(file: string): Operation[] {
  const trace = readFileSync(file);
  const operations: Operation[] = [];
  for (let at = 0; at < trace.length; ) {
    const end = trace.indexOf('\n', at);
    const [, name = '', inode = '', offset, length, path = '', to] =
      /^(\w+) (\d+) (\d+) (\d+) ([^\t]*)(?:\t(.*))?$/.exec(trace.toString('utf8', at, end)) ?? [];
    at = end + 1 + Number(length);
    const bytes = trace.subarray(end + 1, at);
    operations.push({ name, inode, offset: Number(offset), path, bytes, ...(to && { to }) });
    at += 1; // the newline after the bytes
  }
  return operations;
}

interface File {
  synced: Buffer;
  readonly pending: Operation[];
}
type Names = Map<string, File | 'folder'>;
type Change = (names: Names) => void;

/** What may be left: the paths, with the bytes of files. */
export type Left = ReadonlyMap<string, Buffer | 'folder'>;

/** What is kept of that which was not synced: each call answers for one write, or one change. */
export type Luck = () => boolean;

/** What a power cut leaves after some operations. @param luck all that is not promised */
export function leftAfter(operations: readonly Operation[], luck: Luck): Left {
  const files = new Map<string, File>();
  const [durable, live]: [Names, Names] = [new Map(), new Map()];
  const pending = new Map<string, Change[]>();
  const change = (path: string, apply: Change) => {
    apply(live);
    pending.set(dirname(path), [...(pending.get(dirname(path)) ?? []), apply]);
  };
  const fileOf = (inode: string): File => files.get(inode) as File;
  const APPLY: Record<string, (operation: Operation) => void> = {
    create({ inode, path }) {
      const file: File = { synced: Buffer.alloc(0), pending: [] };
      files.set(inode, file);
      change(path, (names) => names.set(path, file));
    },
    write: (operation) => fileOf(operation.inode).pending.push(operation),
    truncate: (operation) => fileOf(operation.inode).pending.push(operation),
    sync({ inode }) {
      const file = fileOf(inode);
      file.synced = applied(file.synced, file.pending);
      file.pending.length = 0;
    },
    order({ path }) {
      for (const apply of pending.get(path) ?? []) apply(durable);
      pending.delete(path);
    },
    rename({ path, to = '' }) {
      const moved = live.get(path) as File;
      change(path, (names) => {
        names.delete(path);
        names.set(to, moved);
      });
    },
    unlink: ({ path }) => change(path, (names) => names.delete(path)),
    rmdir: ({ path }) => change(path, (names) => names.delete(path)),
    mkdir: ({ path }) => change(path, (names) => names.set(path, 'folder')),
  };
  for (const operation of operations) APPLY[operation.name]?.(operation);

  for (const changes of pending.values()) {
    for (const apply of changes) {
      if (!luck()) break;
      apply(durable);
    }
  }
  const reachable = ([path]: [string, unknown]): boolean =>
    !live.has(dirname(path)) || (durable.has(dirname(path)) && reachable([dirname(path), null]));
  const left = [...durable].filter(reachable).map(([path, file]): [string, Buffer | 'folder'] => {
    if (file === 'folder') return [path, file];
    return [path, applied(file.synced, file.pending.filter(luck))];
  });
  return new Map(left);
}

/** The bytes of a file after some writes, and after it was truncated; a gap is zeros. */
function applied(before: Buffer, operations: readonly Operation[]): Buffer {
  if (operations.length === 0) return before;
  const ends = operations.map(({ offset, bytes }) => offset + bytes.length);
  const after = Buffer.alloc(Math.max(before.length, ...ends));
  before.copy(after);
  let size = before.length;
  for (const { name, offset, bytes } of operations) {
    if (name === 'truncate') after.fill(0, offset);
    else bytes.copy(after, offset);
    size = name === 'truncate' ? offset : Math.max(size, offset + bytes.length);
  }
  return after.subarray(0, size);
}
