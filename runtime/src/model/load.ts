/** Loads a model: from a source to a model that is ready to run. */

import { UserError } from '../errors.js';
import { sha256 } from '../format/digest.js';
import { KINDS, type Kind, type ModelInfo, readModelInfo } from '../format/model-info.js';
import { checkSignature, type OpenModel, runBatches } from '../session/batches.js';
import type { OpenOptions, Session } from '../session/ort-session.js';
import { certificateFeeds, itemShapeOf } from './certificate.js';

/** A model file in memory. */
export interface SourceBytes {
  bytes: Uint8Array;
  /** What to call the model in an error. */
  label: string;
}

/**
 * How far loading is: `fetch`, in bytes, with `total` 0 if it is unknown; then `session`, `warm-up`
 * (a first run, not on a CPU) and `ready`.
 */
export type LoadProgress =
  | { phase: 'fetch'; done: number; total: number }
  | { phase: 'session' | 'warm-up' | 'ready' };

/** How a model is loaded, and where it runs. */
export interface LoadOptions
  extends Pick<OpenOptions, 'device' | 'threads' | 'worker' | 'assets' | 'limits'> {
  /** SHA-256 of the file in hexadecimal: another file is refused. */
  digest?: string;
  /** Stops loading; the promise is then rejected with the signal's reason. */
  signal?: AbortSignal;
  /** Called whenever more bytes have arrived and when a phase of loading begins. */
  onProgress?: (progress: LoadProgress) => void;
}

/** What depends on the platform: how a source is read and a session is opened. */
export interface Host<Source> {
  read(source: Source, options: LoadOptions): Promise<SourceBytes>;
  open(bytes: Uint8Array, options: OpenOptions): Promise<Session>;
}

/**
 * Opens a model file that is of one of these kinds.
 *
 * @throws UserError if the model cannot be loaded or is of another kind; the signal's reason
 */
export type Loader<Source> = (
  source: Source,
  kinds: readonly Kind[],
  options: LoadOptions,
) => Promise<OpenModel>;

/** The loader of a platform. */
export const loaderOf =
  <Source>({ read, open }: Host<Source>): Loader<Source> =>
  async (source, kinds, options) => {
    const { digest, onProgress, ...opening } = options;
    const { signal } = opening;
    signal?.throwIfAborted();
    const { bytes, label } = await read(source, options);
    if (digest !== undefined) await checkDigest(bytes, digest, label);
    const info = readModelInfo(bytes, label);
    if (!kinds.includes(info.kind)) {
      throw new UserError(`${label} is a ${info.kind}, but a ${kinds[0]} is needed here.`);
    }
    // Whoever takes a model of any kind wants to know and to verify it, and not to score with it.
    if (kinds !== KINDS) refusePacked(info, label);
    signal?.throwIfAborted();
    onProgress?.({ phase: 'session' });
    const session = await open(bytes, { ...opening, label });
    const model = { session, info, label };
    try {
      checkSignature(model);
      signal?.throwIfAborted();
      // A first run compiles shaders and grows the heap. A CPU has nothing to prepare.
      if (session.device !== 'cpu') {
        onProgress?.({ phase: 'warm-up' });
        await runBatches(model, certificateFeeds(info, 1, 0), itemShapeOf(model), 1, {
          ...(signal && { signal }),
        });
      }
      signal?.throwIfAborted();
    } catch (error) {
      await session.dispose();
      throw error;
    }
    onProgress?.({ phase: 'ready' });
    return model;
  };

/** @throws UserError if a discriminator has no score for a single image */
export function refusePacked({ packing }: ModelInfo, label: string): void {
  if (packing === undefined) return;
  throw new UserError(
    `${label} scores ${packing} images at once: take a discriminator trained without packing.`,
  );
}

async function checkDigest(bytes: Uint8Array, digest: string, label: string): Promise<void> {
  const found = await sha256(bytes);
  if (found === digest.toLowerCase()) return;
  throw new UserError(`${label} is not the file that was asked for: its SHA-256 is ${found}.`);
}
