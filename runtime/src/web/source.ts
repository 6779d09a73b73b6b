import { sha256 } from '../format/digest.js';
import { download, readBytes } from '../model/download.js';
import type { LoadOptions, SourceBytes } from '../model/load.js';

/** A URL, which may be relative to the page, or the bytes of an .onnx file. */
export type Source = string | URL | Uint8Array | ArrayBuffer | Blob;

const CACHE = 'gpn-models';

/**
 * The bytes of a model. A file that is asked for by its digest is kept in the browser's cache under
 * it, and not fetched again; others are left to HTTP's own rules.
 *
 * @throws UserError where it cannot be had; the signal's reason
 */
export async function readSource(source: Source, options: LoadOptions = {}): Promise<SourceBytes> {
  if (typeof source !== 'string' && !(source instanceof URL)) return readBytes(source);
  const url = new URL(source, globalThis.document?.baseURI ?? globalThis.location?.href);
  const { digest } = options;
  // Pages that came over plain HTTP have no such cache; private windows may refuse it.
  const cache = digest === undefined ? undefined : await open();
  if (digest === undefined || cache === undefined) return download(url, options);
  const key = `https://gpn.invalid/${digest.toLowerCase()}`; // .invalid: RFC 2606, nobody's
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
    // A full disk is no reason to fail: the file is here.
    await cache.put(key, new Response(fetched.bytes as BodyInit)).catch(() => undefined);
  }
  return fetched;
}

const open = async (): Promise<Cache | undefined> =>
  globalThis.caches?.open(CACHE).catch(() => undefined);
