/** Which process made a file, and whether that process still runs. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, told apart from later ones that get the same number. */
export interface Owner {
  readonly pid: number;
  /** When the process started, in ticks since the computer did; empty where the system does not tell. */
  readonly started: string;
  /** Where its number counts: a start of a computer and a container on it, or a computer's name. */
  readonly place: string;
  readonly host: string;
  /** The start of the computer; empty where the system does not tell. */
  readonly boot: string;
}

/** Runs `read`, for what only Linux has; empty elsewhere. */
function linux(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}

/** The state and the start of a process, from Linux's /proc/PID/stat; its name may hold spaces. */
function statusOf(pid: number): { state: string; started: string } {
  const text = linux(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', started: fields[19] ?? '' };
}

/** The process that calls. */
export const self: Owner = (() => {
  const boot = linux(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const container = linux(() => readlinkSync('/proc/self/ns/pid'));
  const host = hostname();
  const { started } = statusOf(process.pid);
  return { pid: process.pid, started, boot, host, place: boot ? `${boot} ${container}` : host };
})();

/**
 * Whether a process has ended; undefined if that cannot be known, because it is one of another
 * computer or container. Without Linux's /proc, another process with its number counts as this one.
 */
export function hasEnded(owner: Owner): boolean | undefined {
  if (owner.place === self.place) return !runs(owner);
  // The computer was started again, or a container moved to another one under its name.
  return owner.host === self.host && owner.boot !== self.boot ? true : undefined;
}

function runs({ pid, started }: Owner): boolean {
  if (started !== '') {
    const now = statusOf(pid);
    return now.started === started && !/[ZX]/.test(now.state); // Z and X: ended, not yet cleared away
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A process in few characters, for names of files. */
export const markOf = ({ pid, started, place }: Owner): string =>
  `${createHash('sha256').update(place).digest('hex').slice(0, 8)}-${pid}-${started}`;

/** Whether the process of a mark has ended; undefined if it is one of another computer or container. */
export function hasLeft(mark: string): boolean | undefined {
  const [place, pid, started = ''] = mark.split('-');
  if (place !== markOf(self).split('-')[0]) return undefined;
  return !runs({ ...self, pid: Number(pid), started });
}
