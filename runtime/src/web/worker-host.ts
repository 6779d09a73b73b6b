/** Runs sessions in one web worker, started with the first session and ended with the last. */
import { UserError } from '../errors.js';
import type { OpenOptions, Session } from '../session/ort-session.js';
import { Remote } from '../session/remote.js';

let current: Remote | undefined;

function startWorker(script: OpenOptions['worker']): Worker {
  if (typeof script === 'object' || typeof script === 'string') {
    return new Worker(new URL(script, globalThis.document?.baseURI), { type: 'module' });
  }
  try {
    // In this form bundlers recognise it.
    return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  } catch {
    // A page may not start a worker from another origin, such as a CDN, but its own may import it.
    const program = `import ${JSON.stringify(new URL('./worker.js', import.meta.url).href)};`;
    const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
    return new Worker(url, { type: 'module' });
  }
}

function start(script: OpenOptions['worker']): Remote {
  const worker = startWorker(script);
  const end = (error: Error): void => {
    if (current === remote) current = undefined;
    remote.fail(error);
    worker.terminate();
  };
  const remote: Remote = new Remote(
    { post: (message, transfer) => worker.postMessage(message, transfer) },
    () => undefined,
    () => end(new Error('This session was disposed of')),
  );
  worker.onmessage = ({ data }) => remote.receive(data);
  worker.onerror = ({ message }) =>
    end(
      new UserError(
        `The worker could not be started (${message || 'its script did not load'}): serve the ` +
          'files of @gpn/runtime together, give the URL of its bundled worker as { worker }, or ' +
          'load with { worker: false }.',
      ),
    );
  return remote;
}

/** Opens a model in the worker, which is started if none is running. */
export function openInWorker(model: Uint8Array, options: OpenOptions): Promise<Session> {
  current ??= start(options.worker);
  return current.open(model, options);
}
