/**
 * Runs sessions in web workers. One serves all models without limits; it starts with the first session
 * and ends with the last.
 */
import { UserError } from '../errors.js';
import type { OpenOptions, Session } from '../session/ort-session.js';
import { openRemote, Remote } from '../session/remote.js';

let shared: Remote | undefined;

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
  const remote: Remote = new Remote({
    post: (message, transfer) => worker.postMessage(message, transfer),
    busy: () => undefined,
    kill: () => worker.terminate(),
  });
  worker.onmessage = ({ data }) => remote.receive(data);
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
export function openInWorker(model: Uint8Array, options: OpenOptions): Promise<Session> {
  const { limits } = options;
  let own: Remote | undefined;
  return openRemote(
    () => {
      const running = limits ? own : shared;
      if (running !== undefined && !running.lost) return running;
      const started = start(options.worker);
      if (limits) own = started;
      else shared = started;
      return started;
    },
    model,
    options,
  );
}
