/** Sessions under Node: onnxruntime-node, here or in a worker thread. */
import { availableParallelism } from 'node:os';
import {
  type Backend,
  type OpenOptions,
  type Ort,
  openWith,
  type Session,
  threadsNote,
} from '../session/ort-session.js';
import { DEVICES } from './backend.js';

let loading: Promise<Ort> | undefined;

// Loaded with the first session, so that a program's `--help` does not wait for it.
function loadOrt(): Promise<Ort> {
  loading ??= import('onnxruntime-node').then(({ default: ort }) => {
    ort.env.logLevel = 'fatal'; // what matters is thrown as well; warnings would litter stderr
    return ort;
  });
  return loading;
}

const threadsOf = ({ threads }: OpenOptions): number => threads ?? availableParallelism();

const backend: Backend = {
  devices: DEVICES,
  load: loadOrt,
  settings: (device, { optimization = 'all', profile, ...options }) => ({
    executionProviders: [device],
    graphOptimizationLevel: optimization,
    intraOpNumThreads: threadsOf(options),
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: profile }),
  }),
  note: async (device, options) => (device === 'cpu' ? threadsNote(threadsOf(options)) : undefined),
};

/**
 * Opens a model on a device.
 *
 * @param model the bytes of an .onnx file, or its path
 * @throws UserError where the model is not valid, or a device that was named cannot be used
 */
export async function openSession(
  model: Uint8Array | string,
  options: OpenOptions = {},
): Promise<Session> {
  if (!options.worker) return openWith(backend, model, options);
  const { openInThread } = await import('./worker-host.js');
  return openInThread(model, options);
}
