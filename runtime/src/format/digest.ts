import { UserError } from '../errors.js';

/** The SHA-256 of some bytes, hexadecimal. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  // Browsers withhold it from pages that came over plain HTTP, other than from this machine.
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) {
    throw new UserError('A digest can only be checked on a page that came over HTTPS.');
  }
  const hash = await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
