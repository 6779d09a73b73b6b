/** How many processors a process may keep busy: a container's quota counts, not its host's size alone. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { posix } from 'node:path';

/** The text of a file; undefined if there is none. */
export type Read = (path: string) => string | undefined;

const read: Read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** A group and those above it: /a/b, /a and /. */
const upwards = (group: string): string[] =>
  group === '/' ? ['/'] : [group, ...upwards(posix.dirname(group))];

/** The files of a group that say how many microseconds of how many it may compute, as numbers. */
const LIMITS = {
  v2: (folder: string, text: Read): (string | undefined)[] =>
    text(posix.join(folder, 'cpu.max'))?.trim().split(' ') ?? [],
  v1: (folder: string, text: Read): (string | undefined)[] =>
    ['quota', 'period'].map((name) => text(posix.join(folder, `cpu.cfs_${name}_us`))),
};

/**
 * Processors' worth of time that the control groups of this process allow, of Linux's version 1 or 2;
 * infinite without a limit. The limit of a group above counts, too.
 */
export function cpuQuota(text: Read = read): number {
  const groups = (text('/proc/self/cgroup') ?? '').trim().split('\n');
  const limits = groups.flatMap((line) => {
    const [, controllers = '', group = '/'] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    const isFirst = controllers.split(',').includes('cpu');
    if (!isFirst && controllers !== '') return [];
    const root = isFirst ? `/sys/fs/cgroup/${controllers}` : '/sys/fs/cgroup';
    return upwards(group).map((path) =>
      LIMITS[isFirst ? 'v1' : 'v2'](posix.join(root, path), text),
    );
  });
  const shares = limits
    .map(([quota, period]) => Number(quota) / Number(period)) // NaN for `max` or no file
    .filter((share) => share > 0); // −1 for no limit
  return Math.min(Number.POSITIVE_INFINITY, ...shares);
}

/**
 * The number of threads that this process can keep busy at once, from 1: what the system offers it,
 * within its quota. A part of a processor counts as one.
 */
export const processors = (): number =>
  Math.max(1, Math.min(availableParallelism(), Math.ceil(cpuQuota())));
