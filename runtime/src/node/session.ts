/** Sessions under Node: onnxruntime-node, in this process or in a worker's. */
import { readFile } from 'node:fs/promises';
import { reasonOf, UserError } from '../errors.js';
import { checkPolicy } from '../format/onnx/policy.js';
import type { OpenOptions, Session } from '../session/ort-session.js';
import { openHere } from './backend.js';

/**
 * Opens a model on a device.
 *
 * @param model the bytes of an .onnx file, or its path
 * @throws UserError if the model is not valid or asks for more than its limits, or a device that was
 *   asked for cannot be used
 */
export async function openSession(
  model: Uint8Array | string,
  options: OpenOptions = {},
): Promise<Session> {
  // ONNX Runtime gets bytes and no path, so that it looks for no other file beside it.
  const bytes = typeof model === 'string' ? await read(model) : model;
  const label = options.label ?? (typeof model === 'string' ? model : 'The model');
  checkPolicy(bytes, label, options.limits);
  const { worker = options.limits !== undefined } = options;
  if (!worker) return openHere(bytes, { ...options, label });
  const { openInWorker } = await import('./worker-host.js');
  return openInWorker(bytes, { ...options, label });
}

const read = (path: string): Promise<Uint8Array> =>
  readFile(path).catch((error: unknown) => {
    throw new UserError(`${path} cannot be read: ${reasonOf(error)}.`);
  });
