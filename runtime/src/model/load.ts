/** From a source to a network that is ready to run. */

import { UserError } from '../errors.js';
import { sha256 } from '../format/digest.js';
import { type Kind, readModelInfo } from '../format/model-info.js';
import { checkSignature, type Network, runBatches } from '../session/batches.js';
import type { OpenOptions, Session } from '../session/ort-session.js';
import { feedsOf, itemShapeOf } from './certificate.js';

export interface SourceBytes {
  bytes: Uint8Array;
  /** What to call the model in an error. */
  label: string;
}

/** `fetch`: bytes of the file, `total` 0 where it is unknown. Then the session, and a first run. */
export type LoadProgress =
  | { phase: 'fetch'; done: number; total: number }
  | { phase: 'session' | 'warm-up' | 'ready' };

export interface LoadOptions extends Pick<OpenOptions, 'device' | 'threads' | 'worker' | 'assets'> {
  /** SHA-256 of the file, hexadecimal: another file is refused. */
  digest?: string;
  signal?: AbortSignal;
  onProgress?: (progress: LoadProgress) => void;
}

/** What an entry gives: how it reads a source and where it opens a session. */
export interface Host<Source> {
  read(source: Source, options: LoadOptions): Promise<SourceBytes>;
  open(bytes: Uint8Array, options: OpenOptions): Promise<Session>;
}

/** Opens a model file that is of one of these kinds; throws a UserError that says why it cannot. */
export type Loader<Source> = (
  source: Source,
  kinds: readonly Kind[],
  options: LoadOptions,
) => Promise<Network>;

export const loaderOf =
  <Source>({ read, open }: Host<Source>): Loader<Source> =>
  async (source, kinds, options) => {
    const { device, threads, worker, assets, digest, signal, onProgress } = options;
    signal?.throwIfAborted();
    const { bytes, label } = await read(source, options);
    if (digest !== undefined) await checkDigest(bytes, digest, label);
    const info = readModelInfo(bytes, label);
    if (!kinds.includes(info.kind)) {
      throw new UserError(`${label} is a ${info.kind}: what is needed here is a ${kinds[0]}.`);
    }
    signal?.throwIfAborted();
    onProgress?.({ phase: 'session' });
    const where = { device, threads, worker, assets };
    const given = Object.entries(where).filter(([, value]) => value !== undefined);
    const session = await open(bytes, { ...Object.fromEntries(given), label });
    const network = { session, info, label };
    try {
      checkSignature(network);
      signal?.throwIfAborted();
      // A first run compiles shaders and grows the heap; a CPU has nothing to prepare.
      if (session.device !== 'cpu') {
        onProgress?.({ phase: 'warm-up' });
        await runBatches(network, feedsOf(info, 1, 0), itemShapeOf(network), 1);
      }
      signal?.throwIfAborted();
    } catch (error) {
      await session.dispose();
      throw error;
    }
    onProgress?.({ phase: 'ready' });
    return network;
  };

async function checkDigest(bytes: Uint8Array, digest: string, label: string): Promise<void> {
  const found = await sha256(bytes);
  if (found === digest.toLowerCase()) return;
  throw new UserError(`${label} is not the file that was asked for: its SHA-256 is ${found}.`);
}
