/** Processes that keep a processor busy each, for figures of a machine that has other work. */
import { spawn } from 'node:child_process';
import { processors } from '@gpn/runtime';

/** Starts `count` of them, at rest until `burn`. They end with this process, or with `end`. */
export function burners(count) {
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  const tell = (signal) => {
    for (const child of children) child.kill(signal);
  };
  const end = () => tell('SIGKILL');
  process.once('exit', end);
  tell('SIGSTOP');
  return { count, burn: () => tell('SIGCONT'), rest: () => tell('SIGSTOP'), end };
}

/** The part of its quiet speed that an even division leaves to a process of so many threads. */
export const fairShare = (threads, count) => Math.min(1, processors() / (threads + count));
