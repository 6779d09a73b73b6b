/** Runs sessions in web workers. */
import { UserError } from '../errors.js';
import type { OpenOptions } from '../session/ort-session.js';
import { Remote, workersBy } from '../session/remote.js';

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

const ENDED =
  'the browser has ended its worker, as it does when memory is short: close other tabs, and try again';

function start(options: OpenOptions): Remote {
  const worker = startWorker(options.worker);
  const remote: Remote = new Remote({
    postMessage: (message, transfer) => worker.postMessage(message, transfer),
    busy: () => undefined,
    kill: () => worker.terminate(),
  });
  worker.onmessage = ({ data }) => {
    worker.onerror = ({ message }) => remote.ended(`its worker has failed (${message})`);
    if (data.lock) void navigator.locks.request(data.lock, () => remote.ended(ENDED));
    else remote.receive(data);
  };
  worker.onerror = ({ message }) =>
    remote.fail(
      new UserError(
        `The worker could not be started (${message || 'its script did not load'}): serve the ` +
          'files of @gpn/runtime together, give the URL of its bundled worker as { worker }, or ' +
          'load with { worker: false }.',
      ),
    );
  return remote;
}

/** Opens a model in a worker: in one of its own if it has limits. */
export const openInWorker = workersBy(start);
