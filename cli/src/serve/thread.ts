/** The thread that `threads.ts` starts. */
import { parentPort, workerData } from 'node:worker_threads';
import { reasonOf, UserError } from '@gpn/runtime';
import type { Result } from './jobs.js';
import type { Reply, Request, Start } from './threads.js';
import { openModels } from './work.js';

const { models, running } = workerData as Start;

const post = (reply: Reply, transfer: ArrayBuffer[] = []) =>
  parentPort?.postMessage(reply, transfer);

/** The buffers that hold nothing but the bodies: others, as of small texts, are shared and copied. */
const buffersOf = (results: readonly Result[]): ArrayBuffer[] =>
  results.flatMap((result) => {
    if (!('answer' in result)) return [];
    const { buffer, byteLength } = result.answer.body;
    return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
  });

try {
  const worker = await openModels(models, running);
  parentPort?.on('message', async ({ model, jobs }: Request) => {
    try {
      const results = await worker.run(model, jobs);
      post({ results }, buffersOf(results));
    } catch (error) {
      post({ failed: { message: reasonOf(error), user: false } });
    }
  });
  post({ opened: worker.models });
} catch (error) {
  post({ failed: { message: (error as Error).message, user: error instanceof UserError } });
}
