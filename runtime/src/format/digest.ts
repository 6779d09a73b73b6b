/** The SHA-256 of some bytes, in hexadecimal. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = await (globalThis.crypto?.subtle ? native(bytes) : computed(bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const native = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));

/** Browsers offer their own only to pages loaded over HTTPS or from this machine. */
const computed = async (bytes: Uint8Array): Promise<Uint8Array> =>
  (await import('./sha256.js')).digest(bytes);
