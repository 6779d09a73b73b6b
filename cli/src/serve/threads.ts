/** Runs models in a thread of its own, so that the server always answers. */
import { Worker as Thread } from 'node:worker_threads';
import { UserError } from '@gpn/runtime';
import type { Facts, Job, Named, Result, Running, Worker } from './jobs.js';

/** What the thread is given at its start. */
export interface Start {
  readonly models: readonly Named[];
  readonly running: Running;
}

/** What the thread is asked for, one at a time. */
export interface Request {
  readonly model: string;
  readonly jobs: readonly Job[];
}

/** What the thread answers: first that it is open. */
export type Reply =
  | { readonly opened: readonly Facts[] }
  | { readonly results: readonly Result[] }
  | { readonly failed: { readonly message: string; readonly user: boolean } };

const THREAD = new URL('./thread.js', import.meta.url);

/** A thread, and whether it is still there. */
class Host {
  readonly #thread: Thread;
  #waiting: { resolve(reply: Reply): void; reject(error: Error): void } | undefined;
  #ended: Error | undefined;

  constructor(start: Start) {
    this.#thread = new Thread(THREAD, { workerData: start });
    this.#thread.on('message', (reply: Reply) => this.#waiting?.resolve(reply));
    this.#thread.on('error', (error) => this.#end(error));
    this.#thread.on('exit', () => this.#end(new Error('the thread has ended')));
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** The next reply, to a request if there is one. */
  ask(request?: Request): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#ended) reject(this.#ended);
      else if (request) this.#thread.postMessage(request);
    });
  }

  async end(): Promise<void> {
    await this.#thread.terminate();
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#waiting?.reject(this.#ended);
  }
}

/** @throws UserError if a model cannot be opened */
async function started(start: Start): Promise<[Host, readonly Facts[]]> {
  const thread = new Host(start);
  const reply = await thread.ask();
  if ('opened' in reply) return [thread, reply.opened];
  await thread.end();
  throw problem(reply);
}

function problem(reply: Reply): Error {
  if (!('failed' in reply)) return new Error('the thread answered something else');
  const { message, user } = reply.failed;
  return user ? new UserError(message) : new Error(message);
}

/**
 * Starts a thread with these models. If it ends, which it should not, the next job starts another.
 *
 * @throws UserError if one of the models cannot be opened
 */
export async function openInThread(models: readonly Named[], running: Running): Promise<Worker> {
  const start: Start = { models, running };
  let [thread, facts] = await started(start);
  return {
    models: facts,
    async run(model, jobs) {
      if (thread.ended) [thread, facts] = await started(start);
      const reply = await thread.ask({ model, jobs });
      if ('results' in reply) return reply.results;
      throw problem(reply);
    },
    close: () => thread.end(),
  };
}
