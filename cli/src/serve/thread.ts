/** The thread that `threads.ts` starts. */
import { parentPort, workerData } from 'node:worker_threads';
import { reasonOf, UserError } from '@gpn/runtime';
import type { Result } from './jobs.js';
import type { Reply, Request, Start } from './threads.js';
import { openModels } from './work.js';

const { models, running } = workerData as Start;

const post = (reply: Reply, transfer: ArrayBuffer[] = []) =>
  parentPort?.postMessage(reply, transfer);

/**
 * The same results with their bodies in one buffer: it is handed over at the cost of one, not copied.
 */
function packed(results: readonly Result[]): [Result[], ArrayBuffer] {
  const length = (result: Result) => ('answer' in result ? result.answer.body.length : 0);
  const bytes = new Uint8Array(results.reduce((sum, result) => sum + length(result), 0));
  let at = 0;
  const moved = results.map((result): Result => {
    if (!('answer' in result)) return result;
    const { body } = result.answer;
    const place = bytes.subarray(at, at + body.length);
    place.set(body);
    at += body.length;
    return { answer: { ...result.answer, body: place } };
  });
  return [moved, bytes.buffer];
}

try {
  const worker = await openModels(models, running);
  parentPort?.on('message', async ({ model, jobs }: Request) => {
    try {
      const [results, buffer] = packed(await worker.run(model, jobs));
      post({ results }, [buffer]);
    } catch (error) {
      post({ failed: { message: reasonOf(error), user: false } });
    }
  });
  post({ opened: worker.models });
} catch (error) {
  post({ failed: { message: (error as Error).message, user: error instanceof UserError } });
}
