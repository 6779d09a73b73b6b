import { sha256 } from '../format/digest.js';
import { download, readBytes } from '../model/download.js';
import type { LoadOptions, SourceBytes } from '../model/load.js';

/** Where a model is: a URL, which may be relative to the page, or the bytes of an .onnx file. */
export type Source = string | URL | Uint8Array | ArrayBuffer | Blob;

const CACHE = 'gpn-models';

/**
 * The bytes of a model. A file with a digest is kept in the browser's cache under its digest and is
 * not fetched again; for others HTTP's own caching applies.
 *
 * @throws UserError if it cannot be fetched; the signal's reason if it stops
 */
export async function readSource(source: Source, options: LoadOptions = {}): Promise<SourceBytes> {
  if (typeof source !== 'string' && !(source instanceof URL)) return readBytes(source);
  const url = new URL(source, globalThis.document?.baseURI ?? globalThis.location?.href);
  const { digest } = options;
  // Pages loaded over plain HTTP have no such cache; private windows may refuse it.
  const cache = digest === undefined ? undefined : await openCache();
  if (digest === undefined || cache === undefined) return download(url, options);
  const key = `https://gpn.invalid/${digest.toLowerCase()}`; // .invalid belongs to nobody (RFC 2606)
  const label = url.pathname.split('/').pop() || url.href;
  const kept = await cache.match(key);
  if (kept !== undefined) {
    const bytes = new Uint8Array(await kept.arrayBuffer());
    if ((await sha256(bytes)) === digest.toLowerCase()) {
      options.onProgress?.({ phase: 'fetch', done: bytes.length, total: bytes.length });
      return { bytes, label };
    }
    await cache.delete(key);
  }
  const fetched = await download(url, options);
  if ((await sha256(fetched.bytes)) === digest.toLowerCase()) {
    // A full disk is not a reason to fail, because the file has arrived.
    await cache.put(key, new Response(fetched.bytes as BodyInit)).catch(() => undefined);
  }
  return fetched;
}

const openCache = async (): Promise<Cache | undefined> =>
  globalThis.caches?.open(CACHE).catch(() => undefined);
