/** Safetensors files on the disk, and their checksums. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileError } from './atomic.js';
import { contentOf, decodeSafetensors, type SafetensorsFile } from './safetensors.js';

/** SHA-256, in hex, of all that a file says; see `contentOf`. */
export function contentHash(file: SafetensorsFile): string {
  const hash = createHash('sha256');
  for (const piece of contentOf(file)) hash.update(piece);
  return hash.digest('hex');
}

/**
 * Reads a file.
 *
 * @throws UserError naming the file if it is missing or malformed
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError('read', path, error);
  });
  return decodeSafetensors(bytes, path);
}
