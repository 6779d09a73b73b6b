import { hexOf } from './bytes.js';

/** The SHA-256 of some bytes, in hexadecimal. */
export const sha256 = (bytes: Uint8Array): Promise<string> =>
  globalThis.crypto?.subtle ? native(bytes) : computed(bytes);

const native = async (bytes: Uint8Array): Promise<string> =>
  hexOf(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)));

/** Browsers offer their own only to pages loaded over HTTPS or from this machine. */
const computed = async (bytes: Uint8Array): Promise<string> =>
  (await import('./sha256.js')).digest(bytes);
