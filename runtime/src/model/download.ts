/** Reads model files that are in memory or on the web. */
import { reasonOf, UserError } from '../errors.js';
import { concat } from '../format/bytes.js';
import type { LoadOptions, SourceBytes } from './load.js';

/** 2 GiB, the largest size of an ONNX file. It also ends a response that would never end. */
const MAX_BYTES = 2 ** 31;

/** The bytes of a model in memory. A file's name is its label. */
export async function readBytes(source: Uint8Array | ArrayBuffer | Blob): Promise<SourceBytes> {
  if (source instanceof Uint8Array) return { bytes: source, label: 'The model' };
  if (source instanceof ArrayBuffer) return { bytes: new Uint8Array(source), label: 'The model' };
  const label = 'name' in source && typeof source.name === 'string' ? source.name : 'The model';
  return { bytes: new Uint8Array(await source.arrayBuffer()), label };
}

/**
 * Fetches a file and reports its progress.
 *
 * @throws UserError if it cannot be fetched; the signal's reason if it stops
 */
export async function download(
  url: URL,
  { signal, onProgress }: LoadOptions,
): Promise<SourceBytes> {
  const label = decodeURIComponent(url.pathname.split('/').pop() || url.href);
  const refuse = (reason: string) => new UserError(`${url.href} cannot be fetched: ${reason}.`);
  try {
    const response = await fetch(url, signal ? { signal } : {});
    if (!response.ok || response.body === null)
      throw refuse(`the server answers ${response.status}`);
    const encoded = response.headers.has('content-encoding'); // then content-length is not the file's
    const total = encoded ? 0 : Number(response.headers.get('content-length') ?? 0);
    const parts: Uint8Array[] = [];
    let done = 0;
    for (const reader = response.body.getReader(); ; ) {
      const { value } = await reader.read();
      if (value === undefined) break;
      parts.push(value);
      done += value.length;
      if (done > MAX_BYTES) {
        await reader.cancel();
        throw refuse('it is larger than 2 GiB');
      }
      onProgress?.({ phase: 'fetch', done, total });
    }
    return { bytes: concat(parts), label };
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof UserError ? error : refuse(reasonOf(error));
  }
}
