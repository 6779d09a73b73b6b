/** Sessions in a browser: onnxruntime-web, in a worker by default. */
import type { OpenOptions, Session } from '../session/ort-session.js';

/**
 * Opens a model on a device.
 *
 * @param model the bytes of an .onnx file
 * @throws UserError if the model is not valid or asks for more than its limits, or a device that was
 *   asked for cannot be used
 */
export async function openSession(model: Uint8Array, options: OpenOptions = {}): Promise<Session> {
  const { assets } = options;
  // A worker resolves relative URLs differently, so the page resolves this one.
  const resolved = assets === undefined ? options : { ...options, assets: folderUrl(assets) };
  if (options.limits) {
    // Without limits a page is spared the download: it has no other files to give, and a heap of 4 GiB.
    const { checkPolicy } = await import('../format/onnx/policy.js');
    checkPolicy(model, options.label, options.limits);
  }
  // Of the two ways a page takes one, and none before it has a model.
  return options.worker === false
    ? (await import('./backend.js')).openHere(model, resolved)
    : (await import('./worker-host.js')).openInWorker(model, resolved);
}

/** The folder's absolute URL, ending with a slash. */
const folderUrl = (folder: string | URL): string =>
  new URL(folder, globalThis.document?.baseURI ?? globalThis.location?.href).href.replace(
    /\/?$/,
    '/',
  );
