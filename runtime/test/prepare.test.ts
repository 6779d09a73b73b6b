import { describe, expect, it } from 'vitest';
import { UserError } from '../src/errors.js';
import { PREPARATION, type Preparation, prepare } from '../src/node/index.js';

/** Bytes that look random, the same as in the Python of the golden values. */
function bytes(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

const size = (height: number, width: number, channels: number) => ({ height, width, channels });
const contain = (...background: [number, number, number]): Preparation => ({
  ...PREPARATION,
  fit: 'contain',
  background,
});

/** The largest difference from bytes in hexadecimal. */
const off = (found: ArrayLike<number>, hex: string): number => {
  const expected = Buffer.from(hex, 'hex');
  return Math.max(...expected.map((v, i) => Math.abs(v - (found[i] as number))));
};

describe('prepare', () => {
  // Python, with Pillow 13.0.0 and the bytes above as an RGB image `im` of 13 × 9:
  // im.crop((2, 0, 11, 9)).resize((4, 4), Image.Resampling.BILINEAR).tobytes().hex()
  const SHRUNK =
    '7ca54e959246677769685c9e836e687c907e7e9c96696f547c6777b67d82a28b7e707f5c84af8494ac9a8074868da855';
  // The same with (20, 20): the first two rows.
  const ENLARGED =
    'c68e04c08016b05d45a24b689d8f5397d23dc1d946efdb50e2c14abf9b3d8d6d3d4a38491b265a1e707823b2963f7fa95c4cbd963b98d53168ee2d55ab8b0ba9831ba46d459e65648e9f517ed83dafcc47e6bb52d4a54ba78c3b7e6a3856404339345538797e37b5a5427cb64e43c88939a0cd396ce83958';
  // im.resize((6, 4), Image.Resampling.BILINEAR).tobytes().hex()
  const WHOLE =
    '7e7d867c9e529791466878656b63a3a7999a997487816f6d7c907e7f9f9869735b6f898c806b6480697cb87d81a38a7f717e668355af906e8b87a28895ad997e718991a060a5609b';
  const picture = { width: 13, height: 9, data: bytes(13 * 9 * 3) };

  it('resizes as Pillow’s bilinear filter does, which rounds between its two passes', () => {
    expect(off(prepare(picture, size(4, 4, 3)), SHRUNK)).toBeLessThanOrEqual(1);
    expect(off(prepare(picture, size(20, 20, 3)), ENLARGED)).toBeLessThanOrEqual(1);
  });

  it('contains a picture in whole pixels, with the background beside it', () => {
    const found = prepare(picture, size(6, 6, 3), contain(10, 20, 30));
    expect([...found.subarray(0, 18)]).toEqual(Array(6).fill([10, 20, 30]).flat());
    expect([...found.subarray(-18)]).toEqual(Array(6).fill([10, 20, 30]).flat());
    expect(off(found.subarray(18), WHOLE)).toBeLessThanOrEqual(1);
    const grey = prepare(picture, size(6, 6, 1), contain(10, 20, 30));
    expect(grey[0]).toBe(Math.round(0.299 * 10 + 0.587 * 20 + 0.114 * 30));
  });

  it.each([
    [1, 1],
    [14, 14],
    [20, 7],
    [28, 28],
    [56, 57],
    [280, 199],
  ])('leaves a white picture of %i × %i white everywhere, in every mode', (width, height) => {
    for (const own of [1, 2, 3, 4]) {
      const white = { width, height, data: new Uint8Array(width * height * own).fill(255) };
      for (const channels of [1, 3, 4]) {
        for (const how of [PREPARATION, contain(255, 255, 255)]) {
          const found = prepare(white, size(28, 28, channels), how);
          const clear = channels === 4 && how.fit === 'contain';
          const opaque = [...found].filter((_, i) => !clear || i % 4 < 3);
          expect([Math.min(...opaque), Math.max(...opaque)]).toEqual([255, 255]);
        }
      }
    }
  });

  it('copies a picture of the model’s size, and the middle of one that is a pixel larger', () => {
    const data = bytes(28 * 28);
    expect([...prepare({ width: 28, height: 28, data }, size(28, 28, 1))]).toEqual([...data]);
    const wide = prepare({ width: 29, height: 28, data: bytes(29 * 28) }, size(28, 28, 1));
    const rows = Array.from({ length: 28 }, (_, y) => [
      ...bytes(29 * 28).subarray(y * 29, y * 29 + 28),
    ]);
    expect([...wide]).toEqual(rows.flat());
  });

  it('lays transparent pixels on the background, or keeps their alpha', () => {
    // Red, half transparent blue, and nothing, whose green must not shine through.
    const data = Uint8Array.of(255, 0, 0, 255, 0, 0, 255, 128, 0, 255, 0, 0);
    const image = { width: 3, height: 1, data };
    const laid = prepare(image, size(1, 3, 3), { ...PREPARATION, background: [255, 255, 255] });
    expect([...laid]).toEqual([255, 0, 0, 127, 127, 255, 255, 255, 255]);
    const kept = prepare(image, size(1, 3, 4));
    expect([...kept]).toEqual([255, 0, 0, 255, 0, 0, 255, 128, 0, 0, 0, 0]);
    // A pixel made of an opaque red one and a transparent green one is red and half transparent.
    const half = { width: 2, height: 1, data: Uint8Array.of(255, 0, 0, 255, 0, 255, 0, 0) };
    expect([...prepare({ ...half }, size(1, 1, 4), contain(0, 0, 0))]).toEqual([255, 0, 0, 128]);
    const grey = { width: 2, height: 1, data: Uint8Array.of(200, 255, 200, 0) };
    expect([...prepare(grey, size(1, 2, 1))]).toEqual([200, 0]);
  });

  it('takes floats of any range, and does not round them', () => {
    const floats = { width: 2, height: 1, data: Float32Array.of(-1, 0.5), range: [-1, 1] as const };
    expect([...prepare(floats, size(1, 2, 1))]).toEqual([0, 191.25]);
  });

  it('refuses a picture whose values do not fit its size', () => {
    const wrong = { width: 2, height: 2, data: new Uint8Array(7) };
    expect(() => prepare(wrong, size(1, 1, 1))).toThrow(UserError);
  });
});
