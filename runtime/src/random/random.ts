/**
 * The pinned random generator: a seed means the same numbers, bit for bit, on every machine and in
 * every JavaScript engine. It uses only what IEEE 754 and ECMAScript define exactly: 32-bit integer
 * operations and + - * / sqrt on doubles. Functions such as `Math.log` differ between engines.
 *
 * Words come from the counter-based generator Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror
 * and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011), so any position of a stream
 * can be reached at once. The README of this package states every step and a Python equivalent.
 */
import { UserError } from '../errors.js';
import { normalQuantile } from './normal.js';

/** Third key word of Threefry: 0x1BD11BDA ^ k0 ^ k1 (Skein's parity constant). */
const PARITY = 0x1bd11bda;

/** Threefry-2x32-20: writes the two words of block `(c0, c1)` under key `(k0, k1)` to `out[at..]`. */
function threefry(
  k0: number,
  k1: number,
  c0: number,
  c1: number,
  out: Uint32Array,
  at: number,
): void {
  let a = k0 | 0;
  let b = k1 | 0;
  let c = PARITY ^ a ^ b;
  let x = (c0 + a) | 0;
  let y = (c1 + b) | 0;
  // Five groups of four rounds; the rotations alternate, and a key word pair is added after each.
  for (let group = 1; group <= 5; group++) {
    if (group & 1) {
      x = (x + y) | 0;
      y = ((y << 13) | (y >>> 19)) ^ x;
      x = (x + y) | 0;
      y = ((y << 15) | (y >>> 17)) ^ x;
      x = (x + y) | 0;
      y = ((y << 26) | (y >>> 6)) ^ x;
      x = (x + y) | 0;
      y = ((y << 6) | (y >>> 26)) ^ x;
    } else {
      x = (x + y) | 0;
      y = ((y << 17) | (y >>> 15)) ^ x;
      x = (x + y) | 0;
      y = ((y << 29) | (y >>> 3)) ^ x;
      x = (x + y) | 0;
      y = ((y << 16) | (y >>> 16)) ^ x;
      x = (x + y) | 0;
      y = ((y << 24) | (y >>> 8)) ^ x;
    }
    const first = a;
    a = b;
    b = c;
    c = first;
    x = (x + a) | 0;
    y = (y + b + group) | 0;
  }
  out[at] = x;
  out[at + 1] = y;
}

/** One block of Threefry-2x32-20, as published: `[word 0, word 1]`, each in [0, 2^32). */
export function threefry2x32(
  key: readonly [number, number],
  counter: readonly [number, number],
): [number, number] {
  const out = new Uint32Array(2);
  threefry(key[0], key[1], counter[0], counter[1], out, 0);
  return [out[0] as number, out[1] as number];
}

/** FNV-1a, 32 bits, of a string's UTF-8 bytes. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

const TWO_32 = 4294967296;

// Counters of a stream's own blocks stay below 2^52, so these high words are never a block's.
const FOLD_NUMBER = 0xfffffffe;
const FOLD_STRING = 0xffffffff;

/**
 * An independent stream of random numbers for each seed and path, for example
 * `stream(7, 'noise', step)`.
 *
 * The key is (seed mod 2^32, floor(seed / 2^32)); each element of the path replaces it by
 * threefry(key, (element, 0xfffffffe)) for a number, threefry(key, (fnv1a(element), 0xffffffff))
 * for a string.
 *
 * @param seed a whole number in [0, 2^53)
 * @param path strings, or whole numbers in [0, 2^32)
 * @throws UserError if the seed is not valid; RangeError if a number of the path is not
 */
export function stream(seed: number, ...path: (string | number)[]): RandomStream {
  let key = keyOf(seed);
  for (const element of path) key = threefry2x32(key, foldCounter(element));
  return new RandomStream(key);
}

function keyOf(seed: number): [number, number] {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new UserError(
      `A seed is a whole number from 0 to ${Number.MAX_SAFE_INTEGER}; ${seed} is not.`,
    );
  }
  return [seed % TWO_32, Math.floor(seed / TWO_32)];
}

function foldCounter(element: string | number): [number, number] {
  if (typeof element === 'string') return [fnv1a(element), FOLD_STRING];
  if (!Number.isInteger(element) || element < 0 || element >= TWO_32) {
    throw new RangeError(
      `A number in a stream's path must be a whole number in [0, 2^32), not ${element}`,
    );
  }
  return [element, FOLD_NUMBER];
}

/** A sequence of random 32-bit words, and numbers made from them. Created by {@link stream}. */
export class RandomStream {
  readonly #k0: number;
  readonly #k1: number;
  #position = 0;

  constructor(key: readonly [number, number]) {
    this.#k0 = key[0];
    this.#k1 = key[1];
  }

  /** How many words have been taken. Setting it continues from there, as after a checkpoint. */
  get position(): number {
    return this.#position;
  }

  set position(words: number) {
    if (!Number.isSafeInteger(words) || words < 0) {
      throw new RangeError(`A stream's position must be a whole number from 0, not ${words}`);
    }
    this.#position = words;
  }

  /** The next `n` words. Words 2i and 2i + 1 are the block with counter (i mod 2^32, ⌊i / 2^32⌋). */
  uint32(n: number): Uint32Array {
    const skip = this.#position % 2;
    let block = (this.#position - skip) / 2;
    this.#position += n;
    const words = new Uint32Array(skip + n + 1); // room for half a block more at each end
    for (let at = 0; at < skip + n; at += 2, block++) {
      threefry(this.#k0, this.#k1, block, Math.floor(block / TWO_32), words, at);
    }
    return words.subarray(skip, skip + n);
  }

  /**
   * `n` uniform values on (low, high), one word each: low + (high - low) (2 (w >>> 8) + 1)
   * 2^-25 in doubles, rounded to float32. For the default (-1, 1) every value is exact, the ends
   * never occur and the distribution is symmetric; for other ranges rounding can reach an end.
   */
  uniform(n: number, low = -1, high = 1): Float32Array {
    const words = this.uint32(n);
    const values = new Float32Array(n);
    const scale = (high - low) / 33554432; // 2^25
    for (let i = 0; i < n; i++) {
      values[i] = low + scale * (2 * ((words[i] as number) >>> 8) + 1);
    }
    return values;
  }

  /** `n` standard normal values, one word each: `normalQuantile` rounded to float32. */
  normal(n: number): Float32Array {
    const words = this.uint32(n);
    const values = new Float32Array(n);
    for (let i = 0; i < n; i++) values[i] = normalQuantile(words[i] as number);
    return values;
  }

  /**
   * `n` uniform whole numbers in [0, limit), limit in [1, 2^32]: w mod limit. It skips the words from
   * the largest multiple of limit on, because they would favour small numbers.
   */
  below(n: number, limit: number): Uint32Array {
    if (!Number.isInteger(limit) || limit < 1 || limit > TWO_32) {
      throw new RangeError(`The limit of random integers must be in [1, 2^32], not ${limit}`);
    }
    const fair = TWO_32 - (TWO_32 % limit);
    const values = new Uint32Array(n);
    for (let filled = 0; filled < n; ) {
      // Takes as many words as values are missing, so that no word is wasted.
      for (const word of this.uint32(n - filled)) {
        if (word < fair) values[filled++] = word % limit;
      }
    }
    return values;
  }

  /** The numbers 0 … n - 1 in random order: Fisher–Yates from the end, with j below i + 1. */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(1, i + 1)[0] as number;
      const kept = order[i] as number;
      order[i] = order[j] as number;
      order[j] = kept;
    }
    return order;
  }
}
