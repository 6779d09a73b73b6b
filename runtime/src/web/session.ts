/** Sessions in a browser: onnxruntime-web, in a worker by default. */
import { checkPolicy } from '../format/onnx-policy.js';
import type { OpenOptions, Session } from '../session/ort-session.js';
import { openInWorker } from './worker-host.js';

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
  checkPolicy(model, options.label ?? 'The model', options.limits);
  if (options.worker !== false) return openInWorker(model, resolved);
  const { openHere } = await import('./backend.js'); // a page that has a worker needs none of it
  return openHere(model, resolved);
}

/** The folder's absolute URL, ending with a slash. */
const folderUrl = (folder: string | URL): string =>
  new URL(folder, globalThis.document?.baseURI ?? globalThis.location?.href).href.replace(
    /\/?$/,
    '/',
  );
