/**
 * The queue of shards: BullMQ on a Redis server. The queue only says which shards wait and who has them;
 * what is done is in the folder of the results, so a server that forgets everything costs time alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '@gpn/runtime';
import type { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { printAside } from '../../terminal/print.js';
import type { Task } from '../pool.js';

export const QUEUE = 'gpn-cli-shards';

/** The queue that a producer fills, and a worker of it. */
export type ShardQueue = Queue<Task, void, 'shard'>;
export type ShardWorker = Worker<Task, void, 'shard'>;

/** Milliseconds that a server has for its first answer. */
const PATIENCE = 10_000;

/** Milliseconds between two tries to reach a server that is gone. */
const AGAIN = 1000;

/** The packages of the queue, which are optional. @throws UserError if they are not installed */
export async function queuePackages() {
  try {
    const [{ Queue, Worker }, { Redis }] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { Queue, Worker, Redis };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UserError(
      '--queue needs two packages that gpn-cli does not bring: npm install bullmq ioredis.',
    );
  }
}

/** An address without its password, for messages. */
export function shown(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

/**
 * Connects to a Redis server. Once it has answered, it may go away and come back: commands wait for it.
 *
 * @throws UserError if the address is none, or nobody answers there
 */
export async function connect(url: string): Promise<Redis> {
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
    throw new UserError(`--queue ${url} must be an address such as redis://host:6379.`);
  }
  const { Redis } = await queuePackages();
  const redis = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: null, // as BullMQ's workers need it
    retryStrategy: () => AGAIN,
    connectTimeout: PATIENCE,
  });
  let reason = 'no answer';
  let isAway = false;
  redis.on('error', (error: NodeJS.ErrnoException) => {
    reason = error.message || error.code || reason;
  });
  const answer = redis
    .connect()
    .then(() => redis.ping())
    .then(
      () => true,
      (error: Error) => {
        if (reason === 'no answer') reason = error.message;
        return false;
      },
    );
  const isThere = await Promise.race([answer, sleep(PATIENCE, false, { ref: false })]);
  if (!isThere) {
    redis.disconnect();
    throw new UserError(
      `The Redis server at ${shown(url)} (--queue) does not answer: ${reason.replace(/\.$/, '')}.`,
    );
  }
  redis.on('close', () => {
    if (isAway || redis.status === 'end') return;
    isAway = true;
    printAside(`${shown(url)} is gone; waiting for it.\n`);
  });
  redis.on('ready', () => {
    if (isAway) printAside(`${shown(url)} is back.\n`);
    isAway = false;
  });
  return redis;
}
