/** The side of a queue that gives out shards, and waits until all are in the folder of the results. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '@gpn/runtime';
import { RowsFailed } from '../../errors.js';
import { printAside } from '../../terminal/print.js';
import { doneIn } from '../join.js';
import { itemsOf, type Plan, shardName, shardNames } from '../plan.js';
import type { Task } from '../pool.js';
import { progressOf } from '../progress.js';
import { connect, QUEUE, queuePackages, type ShardQueue, shown } from './connect.js';

/** Milliseconds between two looks at the folder. */
const LOOK_EVERY = 500;

/** Milliseconds after which what is not done is given out again: a server may have forgotten it. */
const AGAIN_EVERY = 5000;

/** Shards that are given out in one message. */
const AT_ONCE = 1000;

/** What failed is tried again, because it may be the fault of a machine. What is done is in the folder. */
const OPTIONS = {
  attempts: 3,
  backoff: { type: 'fixed', delay: 1000 },
  removeOnComplete: true,
  removeOnFail: false,
} as const;

/**
 * Gives the shards of a folder to workers, and ends when all are done.
 *
 * @param prepare makes the folder, once the server has answered
 * @throws RowsFailed if some cannot be computed; UserError if nobody answers at the address
 */
export async function produce(
  url: string,
  out: string,
  plan: Plan,
  prepare: () => Promise<void>,
): Promise<void> {
  const { Queue } = await queuePackages();
  const connection = await connect(url);
  await prepare().catch((error) => {
    connection.disconnect();
    throw error;
  });
  // Names are equal for equal plans: what waits already, for this command or one before it, is not doubled.
  const whole = new TextEncoder().encode(JSON.stringify([plan, process.cwd(), out]));
  const id = (await sha256(whole)).slice(0, 32);
  const queue: ShardQueue = new Queue(QUEUE, { connection });
  queue.on('error', () => {}); // the connection says it
  const names = shardNames(plan);
  const jobOf = (shard: number) => `${id}-${shardName(shard)}`;
  const task = (shard: number): Task => ({ base: process.cwd(), folder: out, shard });
  const failed = new Map<number, string>();
  const sizeOf = (shard: number): number => {
    const [first, end] = itemsOf(plan, shard);
    return end - first;
  };

  /** Gives out what is neither done nor failed; a job of the same name is not added again. */
  const give = async (waiting: readonly number[]): Promise<void> => {
    for (let at = 0; at < waiting.length; at += AT_ONCE) {
      await queue.addBulk(
        waiting.slice(at, at + AT_ONCE).map((shard) => ({
          name: 'shard' as const,
          data: task(shard),
          opts: { ...OPTIONS, jobId: jobOf(shard) },
        })),
      );
    }
  };
  /** Takes the jobs of this plan that failed out of the queue. */
  const takeFailed = async (): Promise<[shard: number, reason: string][]> => {
    const own = (await queue.getFailed(0, -1)).filter((job) => job?.id?.startsWith(`${id}-`));
    await Promise.all(own.map((job) => job.remove().catch(() => {})));
    return own.map((job) => [job.data.shard, job.failedReason]);
  };

  let progress: ReturnType<typeof progressOf> | undefined;
  try {
    await takeFailed(); // of a command before this one: they are tried again
    let given = Number.NEGATIVE_INFINITY;
    for (;;) {
      const done = new Set(await doneIn(out));
      const waiting = [...names.keys()].filter((k) => !done.has(names[k] as string));
      const left = waiting.filter((shard) => !failed.has(shard));
      const items = plan.items - waiting.reduce((sum, shard) => sum + sizeOf(shard), 0);
      if (!progress) {
        printAside(
          `${left.length} of ${names.length} shards wait at ${shown(url)}: gpn-cli work --queue takes them.\n`,
        );
        progress = progressOf(process.stderr, plan.items, items);
      }
      progress.set(items);
      if (left.length === 0) {
        for (const shard of failed.keys()) if (!waiting.includes(shard)) failed.delete(shard);
        break;
      }
      if (performance.now() - given > AGAIN_EVERY) {
        await give(left);
        for (const [shard, reason] of await takeFailed()) failed.set(shard, reason);
        given = performance.now();
      }
      await sleep(LOOK_EVERY);
    }
  } finally {
    progress?.stop();
    await queue.close().catch(() => {});
    connection.disconnect();
  }
  if (failed.size === 0) return;
  for (const [shard, reason] of [...failed].slice(0, 10)) {
    printAside(`Shard ${names[shard]} failed: ${reason}\n`);
  }
  throw new RowsFailed(
    `${failed.size} of ${names.length} shards failed, such as for the reasons above; the same command tries them again.`,
  );
}
