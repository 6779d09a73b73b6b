/** The SHA-256 of some bytes, in hexadecimal. */
export const sha256 = async (bytes: Uint8Array): Promise<string> =>
  hexOf(await (globalThis.crypto?.subtle ? native(bytes) : computed(bytes)));

const native = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));

/** Browsers offer their own only to pages loaded over HTTPS or from this machine. */
const computed = async (bytes: Uint8Array): Promise<Uint8Array> =>
  (await import('./sha256.js')).digestBytes(bytes);

/** Bytes in hexadecimal. */
export const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
