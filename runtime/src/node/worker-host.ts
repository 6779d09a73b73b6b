/** Runs sessions in one worker thread, started with the first session and ended with the last. */
import { Worker } from 'node:worker_threads';
import type { OpenOptions, Session } from '../session/ort-session.js';
import { Remote } from '../session/remote.js';

let current: Remote | undefined;

function start(): Remote {
  const worker = new Worker(new URL('./worker.js', import.meta.url));
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
  worker.on('error', end);
  worker.on('exit', (code) => end(new Error(`The worker thread ended with code ${code}`)));
  return remote;
}

/** Opens a model in the worker thread, which is started if none is running. */
export function openInWorker(model: Uint8Array | string, options: OpenOptions): Promise<Session> {
  current ??= start();
  return current.open(model, options);
}
