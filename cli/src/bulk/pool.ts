/** Processes that compute shards, so that one that is killed, or lacks memory, takes nothing with it. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '@gpn/runtime';
import type { Counts } from './rows.js';

/** A shard to be computed. */
export interface Task {
  /** The folder that the plan's paths and `folder` are relative to. */
  readonly base: string;
  /** Of the results. */
  readonly folder: string;
  readonly shard: number;
}

/** What a process says: items done, the end, or a sentence about the user's mistake. */
export type Answer = { items: number } | { done: true; counts?: Counts } | { refused: string };

export interface Pool {
  /**
   * Computes a shard in the next process that is free.
   *
   * @param tell gets the number of items done since it was called last
   * @returns what the shard holds; undefined if it was there
   * @throws UserError if the shard cannot be computed; Error if its process ends before
   */
  run(task: Task, tell?: (items: number) => void): Promise<Counts | undefined>;
  /** Ends all processes. */
  close(): void;
}

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

// In a group of its own: Ctrl-C reaches this process alone, which decides what becomes of its children.
const start = (): ChildProcess =>
  fork(CHILD, [], { detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });

/** Has one task done by a process. */
const ask = (
  child: ChildProcess,
  task: Task,
  tell: (items: number) => void,
): Promise<Counts | undefined> =>
  new Promise((resolve, reject) => {
    const heard = (answer: Answer): void => {
      if ('items' in answer) tell(answer.items);
      else if ('done' in answer) settle(() => resolve(answer.counts));
      else settle(() => reject(new UserError(answer.refused)));
    };
    const ended = (code: number | null, signal: string | null): void =>
      settle(() => reject(new Error(`its process ended with ${signal ?? `code ${code}`}`)));
    const settle = (how: () => void): void => {
      child.off('message', heard);
      child.off('exit', ended);
      how();
    };
    child.on('message', heard);
    child.on('exit', ended);
    child.send(task, (error) => error && settle(() => reject(error)));
  });

/** @param size how many processes there are at most, each with one thread */
export function createPool(size: number): Pool {
  const all = new Set<ChildProcess>();
  const free: ChildProcess[] = [];
  const waiting: ((child: ChildProcess) => void)[] = [];
  let isClosed = false;
  const add = (): ChildProcess => {
    const child = start();
    all.add(child);
    child.on('exit', () => all.delete(child));
    child.on('error', () => all.delete(child));
    return child;
  };
  const take = async (): Promise<ChildProcess> => {
    const ready = free.pop();
    if (ready) return ready;
    return all.size < size ? add() : new Promise((resolve) => waiting.push(resolve));
  };
  const give = (child: ChildProcess): void => {
    const isLiving = child.exitCode === null && child.signalCode === null && child.connected;
    if (!isLiving) all.delete(child);
    if (isClosed) return;
    const next = waiting.shift();
    if (next) next(isLiving ? child : add());
    else if (isLiving) free.push(child);
  };
  return {
    async run(task, tell = () => {}) {
      if (isClosed) throw new Error('the pool is closed');
      const child = await take();
      try {
        return await ask(child, task, tell);
      } finally {
        give(child);
      }
    },
    close() {
      isClosed = true;
      for (const child of all) child.kill('SIGKILL');
    },
  };
}
