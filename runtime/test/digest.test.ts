// SHA-256 as this package computes it against Node's, at every length around the ends of its blocks.
import { createHash } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { sha256 } from '../src/format/digest.js';
import { stream } from '../src/random/random.js';

const oracle = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const bytesOf = (length: number) => Uint8Array.from(stream(length, 'digest').below(length, 256));

afterEach(() => {
  vi.unstubAllGlobals();
});

it.each(['with', 'without'])('a digest %s the browser’s own is SHA-256', async (own) => {
  if (own === 'without') vi.stubGlobal('crypto', {});
  for (const length of [...Array(200).keys(), 1000, 65_536, 1_000_003]) {
    const bytes = bytesOf(length);
    expect([length, await sha256(bytes)]).toEqual([length, oracle(bytes)]);
  }
});

it('a digest is of the view that was given, not of the memory around it', async () => {
  vi.stubGlobal('crypto', {});
  const part = bytesOf(300).subarray(17, 117);
  expect(await sha256(part)).toBe(oracle(part.slice()));
});
