/** The side of a queue that takes shards, as many at a time as it has processors. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '@gpn/runtime';
import { printAside } from '../../terminal/print.js';
import { shardName } from '../plan.js';
import { createPool, type Task } from '../pool.js';
import { connect, QUEUE, queuePackages, type ShardWorker, shown } from './connect.js';

/** How a worker works. */
export interface WorkOptions {
  readonly queue: string;
  /** Shards at the same time. */
  readonly jobs: number;
  /** Ends when nothing waits. */
  readonly once: boolean;
  /** The folder that stands here for the one where the producer runs. */
  readonly base?: string | undefined;
}

/** Milliseconds after which a shard of a worker that is silent goes to another one. */
const SILENCE = 10_000;

/** How often a shard may lose its worker: any number of times, because workers come and go. */
const ANY = 1_000_000;

/** Milliseconds between two looks whether something waits. */
const LOOK_EVERY = 200;

/** Looks that find nothing before a worker that works once ends: a shard may just be given back. */
const LOOKS = 3;

/**
 * Takes shards from a queue until it is told to stop, or nothing waits.
 *
 * @param signal ends the work when the shards that were begun are done
 * @returns how many shards were done
 * @throws UserError if nobody answers at the address
 */
export async function work(options: WorkOptions, signal: AbortSignal): Promise<number> {
  const { queue: url, jobs, once, base } = options;
  const { Queue, Worker } = await queuePackages();
  const connection = await connect(url);
  const pool = createPool(jobs);
  let done = 0;
  const checked = ({ base: from, folder, shard }: Task): Task => {
    if (![from, folder].every((x) => typeof x === 'string') || !Number.isSafeInteger(shard)) {
      throw new UserError('The job in the queue is none of gpn-cli.');
    }
    return { base: base === undefined ? from : resolve(base), folder, shard };
  };
  // The processes of the pool compute: this one is free to renew the locks of their shards.
  const worker: ShardWorker = new Worker(
    QUEUE,
    async ({ data }) => {
      await pool.run(checked(data));
      done += 1;
      printAside(`${data.folder}: shard ${shardName(data.shard)} is done.\n`);
    },
    {
      connection,
      concurrency: jobs,
      lockDuration: SILENCE,
      stalledInterval: SILENCE / 2,
      maxStalledCount: ANY,
    },
  );
  worker.on('error', () => {}); // the connection says it
  worker.on('failed', (job, error) => {
    printAside(
      `${job?.data.folder}: shard ${shardName(job?.data.shard ?? 0)} failed: ${error.message}\n`,
    );
  });
  const queue = new Queue(QUEUE, { connection });
  queue.on('error', () => {});
  printAside(`Takes ${jobs} shards at a time from ${shown(url)}.\n`);
  try {
    for (let empty = 0; !signal.aborted && !(once && empty >= LOOKS); ) {
      await sleep(LOOK_EVERY, undefined, { signal }).catch(() => {});
      if (!once) continue;
      const { waiting = 0, active = 0, prioritized = 0 } = await queue.getJobCounts();
      empty = waiting + active + prioritized > 0 ? 0 : empty + 1;
    }
    await worker.close(); // waits for what was begun
  } finally {
    pool.close();
    await queue.close().catch(() => {});
    connection.disconnect();
  }
  return done;
}
