/** Runs sessions in one worker thread of Node's, started with the first and ended with the last. */
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
    // A program ends although its models were not disposed of, but not while it awaits a result.
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

export function openInThread(model: Uint8Array | string, options: OpenOptions): Promise<Session> {
  current ??= start();
  return current.open(model, options);
}
