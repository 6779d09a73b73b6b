/**
 * SHA-256 (FIPS 180-4), for the pages to which a browser offers no `crypto.subtle` (those loaded over
 * plain HTTP from another machine), and where there is no time to wait.
 */

const isPrime = (n: number): boolean => {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
};

/** The first 64 primes. The constants of the algorithm are fractions of their roots. */
const PRIMES = Array.from({ length: 312 }, (_, n) => n).filter((n) => n > 1 && isPrime(n));

/** The first 32 bits of the fraction of a number. */
const fraction = (x: number): number => Math.floor((x % 1) * 2 ** 32) | 0;

const ROUNDS = PRIMES.map((p) => fraction(Math.cbrt(p)));
const START = PRIMES.slice(0, 8).map((p) => fraction(Math.sqrt(p)));

const rotated = (x: number, bits: number): number => (x >>> bits) | (x << (32 - bits));

/** The bytes, a bit of 1, zeros, and the number of bits: whole blocks of 64 bytes. */
function padded(bytes: Uint8Array): DataView {
  const view = new DataView(new ArrayBuffer(64 * Math.ceil((bytes.length + 9) / 64)));
  new Uint8Array(view.buffer).set(bytes);
  view.setUint8(bytes.length, 0x80);
  view.setBigUint64(view.byteLength - 8, 8n * BigInt(bytes.length));
  return view;
}

/** The 32 bytes of the SHA-256 of some bytes. */
export function digestBytes(bytes: Uint8Array): Uint8Array {
  const view = padded(bytes);
  const state = Int32Array.from(START);
  const w = new Int32Array(64); // the message schedule
  for (let at = 0; at < view.byteLength; at += 64) {
    for (let t = 0; t < 16; t++) w[t] = view.getInt32(at + 4 * t);
    for (let t = 16; t < 64; t++) {
      const [x, y] = [w[t - 15] as number, w[t - 2] as number];
      const s0 = rotated(x, 7) ^ rotated(x, 18) ^ (x >>> 3);
      const s1 = rotated(y, 17) ^ rotated(y, 19) ^ (y >>> 10);
      w[t] = s1 + (w[t - 7] as number) + s0 + (w[t - 16] as number);
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [
      ...[number, number, number, number],
      ...[number, number, number, number],
    ];
    for (let t = 0; t < 64; t++) {
      const s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
      const choice = (e & f) ^ (~e & g);
      const t1 = h + s1 + choice + (ROUNDS[t] as number) + (w[t] as number);
      const s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
      const majority = (a & b) ^ (a & c) ^ (b & c);
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + s0 + majority) | 0];
    }
    for (const [k, value] of [a, b, c, d, e, f, g, h].entries())
      state[k] = (state[k] as number) + value;
  }
  const result = new DataView(new ArrayBuffer(32));
  for (const [k, word] of state.entries()) result.setInt32(4 * k, word);
  return new Uint8Array(result.buffer);
}
