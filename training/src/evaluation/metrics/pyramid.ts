/** Laplacian pyramids of pictures (Burt & Adelson 1983). */
import type { Pictures } from '../../data/types.js';

/** The height and the width of a level. */
export type LevelSize = readonly [height: number, width: number];

/** Below this side a level is not divided again. */
const COARSEST = 16;

/** The sizes of the levels of a picture, the finest first, down to the last with sides of 16 or more. */
export function levelSizes(height: number, width: number): LevelSize[] {
  const half: LevelSize = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const rest = Math.min(...half) < COARSEST ? [] : levelSizes(...half);
  return [[height, width], ...rest];
}

/** How each value of a line is made: of the values at `places`, by `weights`; `width` of them. */
interface Taps {
  readonly width: number;
  readonly places: Int32Array;
  readonly weights: Float64Array;
}

const GAUSS = [1, 4, 6, 4, 1].map((x) => x / 16);

/** Mirrored at the first and the last value, which are not repeated. */
const mirrored = (at: number, n: number): number => (at < 0 ? -at : at < n ? at : 2 * (n - 1) - at);

function tapsOf(rows: readonly (readonly [place: number, weight: number][])[]): Taps {
  const width = Math.max(...rows.map((row) => row.length));
  const [places, weights] = [
    new Int32Array(rows.length * width),
    new Float64Array(rows.length * width),
  ];
  rows.forEach((row, i) => {
    row.forEach(([place, weight], j) => {
      places[i * width + j] = place;
      weights[i * width + j] = weight;
    });
  });
  return { width, places, weights };
}

/** Blurs a line of `n` values and keeps every second one. */
const halving = (n: number): Taps =>
  tapsOf(
    Array.from({ length: Math.ceil(n / 2) }, (_, i) =>
      GAUSS.map((weight, j): [number, number] => [mirrored(2 * i + j - 2, n), weight]),
    ),
  );

/** Puts zeros between values, for `n` in all, and blurs them at twice the weight. */
const doubling = (n: number): Taps =>
  tapsOf(
    Array.from({ length: n }, (_, i) =>
      GAUSS.map((weight, j): [number, number] => [mirrored(i + j - 2, n), 2 * weight])
        .filter(([place]) => place % 2 === 0)
        .map(([place, weight]): [number, number] => [place / 2, weight]),
    ),
  );

/** Resamples the middle axis of [outer, from, inner]. */
function resample(
  data: Float32Array,
  { width, places, weights }: Taps,
  { outer, from, inner }: { outer: number; from: number; inner: number },
): Float32Array {
  const to = places.length / width;
  const out = new Float32Array(outer * to * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < to; i++) {
      const at = (o * to + i) * inner;
      for (let j = i * width; j < (i + 1) * width; j++) {
        const weight = weights[j] as number;
        if (weight === 0) continue;
        const source = (o * from + (places[j] as number)) * inner;
        for (let c = 0; c < inner; c++) {
          out[at + c] = (out[at + c] as number) + weight * (data[source + c] as number);
        }
      }
    }
  }
  return out;
}

/**
 * Returns a function that computes one level of the pyramid of a picture, [height, width, channels],
 * from bytes: what the level has beyond the next coarser one. The coarsest level is what remains.
 * The pyramid is that of Karras et al. 2018 (section 5), also of sides that are no powers of two.
 */
export function laplacian(
  { height, width, channels }: Pick<Pictures, 'height' | 'width' | 'channels'>,
  level: number,
): (bytes: Uint8Array) => Float32Array {
  const sizes = levelSizes(height, width);
  const taps = sizes.map((size) => ({
    size,
    halve: size.map(halving) as [Taps, Taps],
    double: size.map(doubling) as [Taps, Taps],
  }));
  const both = (
    data: Float32Array,
    [down, across]: readonly [Taps, Taps],
    [h, w]: LevelSize,
  ): Float32Array => {
    const tall = resample(data, down, { outer: 1, from: h, inner: w * channels });
    const rows = tall.length / (w * channels);
    return resample(tall, across, { outer: rows, from: w, inner: channels });
  };
  return (bytes) => {
    let picture: Float32Array = Float32Array.from(bytes);
    for (const { halve, size } of taps.slice(0, level)) picture = both(picture, halve, size);
    const here = taps[level];
    const next = taps[level + 1];
    if (!here || !next) return picture;
    const coarse = both(both(picture, here.halve, here.size), here.double, next.size);
    return picture.map((x, i) => x - (coarse[i] as number));
  };
}
