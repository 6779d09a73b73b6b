/** Sessions in a browser: onnxruntime-web, in a worker unless told otherwise. */
import { UserError } from '../errors.js';
import type { OpenOptions, Session } from '../session/ort-session.js';
import { Remote } from '../session/remote.js';

let current: Remote | undefined;

function startWorker(): Worker {
  try {
    // In this form bundlers recognise it.
    return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  } catch {
    // From another origin, such as a CDN, a worker may not be started, but one here may import it.
    const program = `import ${JSON.stringify(new URL('./worker.js', import.meta.url).href)};`;
    const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
    return new Worker(url, { type: 'module' });
  }
}

function start(): Remote {
  const worker = startWorker();
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
          'files of @gpn/runtime together, or load with { worker: false }.',
      ),
    );
  return remote;
}

/**
 * Opens a model on a device.
 *
 * @param model the bytes of an .onnx file
 * @throws UserError where the model is not valid, or a device that was named cannot be used
 */
export async function openSession(model: Uint8Array, options: OpenOptions = {}): Promise<Session> {
  const { assets } = options;
  // A worker has another base: what the page calls relative is made whole here.
  const whole = assets === undefined ? options : { ...options, assets: absolute(assets) };
  if (options.worker === false) {
    const { openHere } = await import('./here.js'); // a page that has a worker needs none of it
    return openHere(model, whole);
  }
  current ??= start();
  return current.open(model, whole);
}

/** The folder's URL, ending with a slash. */
const absolute = (folder: string | URL): string =>
  new URL(folder, globalThis.document?.baseURI ?? globalThis.location?.href).href.replace(
    /\/?$/,
    '/',
  );
