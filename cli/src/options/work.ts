import { wholeNumber } from './declare/parsers.js';
import { declare, flag, parsed, required, text } from './declare/spec.js';

export const WORK = declare({
  options: {
    queue: required(
      text('--queue <url>', 'the Redis server of the queue, such as redis://host:6379'),
    ),
    jobs: parsed(
      '--jobs <n>',
      'shards at the same time, with one thread each (default: as many as processors)',
      wholeNumber(1, 1024),
    ),
    once: flag('--once', 'end when nothing waits in the queue'),
    base: text(
      '--base <dir>',
      'the folder that is here what the current one is to score or sample --queue (default: the one of the same path)',
    ),
  },
  examples: [
    'work --queue redis://localhost:6379',
    'work --queue redis://:PASSWORD@queue.example:6379 --jobs 8 --once',
    'work --queue rediss://queue.example:6380 --base /mnt/shared',
  ],
});
