/** Runs sessions in one worker thread, started with the first session and ended with the last. */
import { Worker } from 'node:worker_threads';
import { reasonOf, UserError } from '../errors.js';
import type { OpenOptions, Session } from '../session/ort-session.js';
import { Remote } from '../session/remote.js';

let current: Remote | undefined;

// In this form bundlers recognise it.
const startWorker = (script: OpenOptions['worker']): Worker =>
  typeof script === 'object' || typeof script === 'string'
    ? new Worker(script)
    : new Worker(new URL('./worker.js', import.meta.url));

/** Nothing more is known of a script that a bundler has left out than that it is not there. */
const lost = (error: Error): Error =>
  /MODULE_NOT_FOUND/.test((error as NodeJS.ErrnoException).code ?? '')
    ? new UserError(
        `The worker could not be started (${reasonOf(error)}): bundle @gpn/runtime/worker as a script of its own beside the program, named worker.js, or give its URL as { worker }.`,
      )
    : error;

function start(script: OpenOptions['worker']): Remote {
  const worker = startWorker(script);
  const end = (error: Error): void => {
    if (current === remote) current = undefined;
    remote.fail(error);
  };
  const remote: Remote = new Remote(
    { post: (message, transfer) => worker.postMessage(message, transfer) },
    // A program may end with models that were never disposed of, but not while it awaits a result.
    (waiting) => (waiting ? worker.ref() : worker.unref()),
    () => {
      end(new Error('This session was disposed of'));
      void worker.terminate();
    },
  );
  worker.on('message', (message) => remote.receive(message));
  worker.on('error', (error) => end(lost(error)));
  worker.on('exit', (code) => end(new Error(`The worker thread ended with code ${code}`)));
  return remote;
}

/** Opens a model in the worker thread, which is started if none is running. */
export function openInWorker(model: Uint8Array | string, options: OpenOptions): Promise<Session> {
  current ??= start(options.worker);
  return current.open(model, options);
}
