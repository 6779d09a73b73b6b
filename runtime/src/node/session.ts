/** Sessions under Node: onnxruntime-node, in this thread or in a worker thread. */
import type { OpenOptions, Session } from '../session/ort-session.js';
import { openHere } from './backend.js';

/**
 * Opens a model on a device.
 *
 * @param model the bytes of an .onnx file, or its path
 * @throws UserError if the model is not valid, or a device that was asked for cannot be used
 */
export async function openSession(
  model: Uint8Array | string,
  options: OpenOptions = {},
): Promise<Session> {
  if (!options.worker) return openHere(model, options);
  const { openInWorker } = await import('./worker-host.js');
  return openInWorker(model, options);
}
