import { UserError } from '../errors.js';

/**
 * The SHA-256 of some bytes, in hexadecimal.
 *
 * @throws UserError on a page that was not loaded over HTTPS
 */
export async function sha256(bytes: Uint8Array): Promise<string> {
  // Browsers offer it only to pages loaded over HTTPS or from this machine.
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) {
    throw new UserError('A digest can be checked only on a page that was loaded over HTTPS.');
  }
  const hash = await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
