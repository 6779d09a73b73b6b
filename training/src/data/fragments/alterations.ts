/**
 * The alterations of squares of images: what a detector is to find. Each makes the pixels of a square,
 * [side, side, channels], values from 0 to 1. Those who tamper with pictures copy, splice, retouch,
 * scale, compress and recolour.
 */
import type { RandomStream } from '@gpn/runtime';
import { drawCorners, type Size } from './corners.js';

/** Cuts a square of `side` pixels with its corner at (row, column); outside the image it is 0. */
export function cut(image: View, row: number, column: number, side: number): Float32Array {
  const { pixels, height, width, channels, inverse } = image;
  const square = new Float32Array(side * side * channels);
  const [base, scale] = inverse ? [1, -1 / 256] : [0, 1 / 256];
  for (let y = Math.max(0, -row); y < Math.min(side, height - row); y++) {
    for (let x = Math.max(0, -column); x < Math.min(side, width - column); x++) {
      const from = ((row + y) * width + column + x) * channels;
      const to = (y * side + x) * channels;
      for (let c = 0; c < channels; c++) {
        square[to + c] = base + scale * (pixels[from + c] as number);
      }
    }
  }
  return square;
}

/** One image of a data set, as it is or reduced, as pixels / 256, or as 1 − pixels / 256. */
export interface View extends Size {
  readonly pixels: Uint8Array | Float32Array;
  readonly channels: number;
  readonly inverse: boolean;
}

export interface Place {
  readonly image: View;
  /** Another image of the data set, perhaps inverse. */
  readonly other: () => View;
  readonly row: number;
  readonly column: number;
  readonly internal: number;
  readonly random: RandomStream;
}

/** The unaltered internal part. */
const original = ({ image, row, column, internal }: Place): Float32Array =>
  cut(image, row, column, internal);

/** A Gaussian with a standard deviation of one pixel, truncated at three pixels. */
const REACH = 3;
const GAUSSIAN = (() => {
  const weights = Array.from({ length: 2 * REACH + 1 }, (_, k) =>
    Math.exp(-((k - REACH) ** 2) / 2),
  );
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((w) => w / sum);
})();

/** The alterations of an internal part, by the names that recipes use. Values are from 0 to 1. */
export const ALTERATIONS = {
  /** Uniform noise from 0 to 1. */
  noise: ({ image, internal, random }: Place) =>
    random.uniform(internal * internal * image.channels, 0, 1),
  /** Uniform noise from −0.2 to 0.2 added, clipped to [0, 1]. */
  blur: (place: Place) => {
    const part = original(place);
    const by = place.random.uniform(part.length, -0.2, 0.2);
    return part.map((value, k) => Math.min(1, Math.max(0, value + (by[k] as number))));
  },
  /** A square of another image, at a random position. */
  mismatch: ({ image, other, internal, random }: Place) => {
    const { rows, columns } = drawCorners(random, 1, image, internal);
    return cut(other(), rows[0] as number, columns[0] as number, internal);
  },
  /** The image convolved with a Gaussian, like a photograph out of focus. */
  gaussian: ({ image, row, column, internal }: Place) => {
    const side = internal + 2 * REACH;
    const { channels } = image;
    const around = cut(image, row - REACH, column - REACH, side);
    return Float32Array.from({ length: internal * internal * channels }, (_, k) => {
      const [y, x, c] = [
        Math.floor(k / channels / internal),
        Math.floor(k / channels) % internal,
        k % channels,
      ];
      let sum = 0;
      for (const [dy, across] of GAUSSIAN.entries()) {
        for (const [dx, along] of GAUSSIAN.entries()) {
          sum += across * along * (around[((y + dy) * side + x + dx) * channels + c] as number);
        }
      }
      return sum;
    });
  },
  /** Another square of the same image: copied and moved, with a seam. */
  copy: ({ image, internal, random }: Place) => {
    const { rows, columns } = drawCorners(random, 1, image, internal);
    return cut(image, rows[0] as number, columns[0] as number, internal);
  },
  /** Scaled about its middle, by a factor from 0.6 to 0.85 or from 1.2 to 1.7. */
  resample: (place: Place) => {
    const [up, size] = [...place.random.uniform(2, 0, 1)] as [number, number];
    return up < 0.5 ? shrunk(place, size) : scaled(place, 1.2 + 0.5 * size);
  },
  /** Scaled about its middle, by a factor from 0.6 to 0.85: the half of `resample` that is harder to find. */
  shrink: (place: Place) => shrunk(place, place.random.uniform(1, 0, 1)[0] as number),
  /** Normal noise with a standard deviation from 0.03 to 0.15 added, clipped to [0, 1]. */
  grain: (place: Place) => {
    const part = original(place);
    const [deviation] = place.random.uniform(1, 0.03, 0.15);
    const by = place.random.normal(part.length);
    return part.map((value, k) => clamped(value + (deviation as number) * (by[k] as number)));
  },
  /** Each channel stretched by a factor from 0.6 to 1.4 and shifted by up to 0.2, clipped to [0, 1]. */
  color: (place: Place) => {
    const { channels } = place.image;
    const stretch = place.random.uniform(channels, 0.6, 1.4);
    const shift = place.random.uniform(channels, -0.2, 0.2);
    return original(place).map((value, k) =>
      clamped(value * (stretch[k % channels] as number) + (shift[k % channels] as number)),
    );
  },
  /** Compressed as by JPEG of a quality from 10 to 50, each channel by itself. */
  jpeg: (place: Place) => {
    const [quality] = place.random.uniform(1, 10, 50);
    return compressed(place, 50 / (quality as number));
  },
  /** Turned about its middle, by an angle from 30° to 330°. */
  turn: ({ random, ...place }: Place) => {
    const [angle] = random.uniform(1, Math.PI / 6, (11 * Math.PI) / 6);
    const [cos, sin] = [Math.cos(angle as number), Math.sin(angle as number)];
    return moved(place, (y, x) => [cos * y - sin * x, sin * y + cos * x]);
  },
  /** Bent: its pixels moved by up to a quarter of its side, by a field that is smooth. */
  bend: ({ random, ...place }: Place) => {
    const { internal } = place;
    const [reach] = random.uniform(1, internal / 10, internal / 4);
    const field = random.uniform(2 * KNOTS * KNOTS, -1, 1);
    /** Bilinear between knots; coordinate 0 down and 1 across. */
    const by = (coordinate: number, y: number, x: number): number => {
      const along = (at: number) => ((at + internal / 2) / internal) * (KNOTS - 1);
      const [v, u] = [along(y), along(x)];
      const [top, left] = [v, u].map((at) => Math.min(KNOTS - 2, Math.floor(at))) as [
        number,
        number,
      ];
      const knot = (row: number, column: number) =>
        field[(coordinate * KNOTS + row) * KNOTS + column] as number;
      const across = (row: number) =>
        (left + 1 - u) * knot(row, left) + (u - left) * knot(row, left + 1);
      return (reach as number) * ((top + 1 - v) * across(top) + (v - top) * across(top + 1));
    };
    return moved(place, (y, x) => [y + by(0, y, x), x + by(1, y, x)]);
  },
  /** Its four quarters in another order. */
  shuffle: (place: Place) => {
    const { image, internal, random } = place;
    const part = original(place);
    const order = [...random.permutation(4)];
    // The order as it was is turned by one.
    const from = order.every((quarter, k) => quarter === k) ? [1, 2, 3, 0] : order;
    const half = internal >> 1;
    return part.map((value, k) => {
      const { channels } = image;
      const [y, x] = [Math.floor(k / channels / internal), Math.floor(k / channels) % internal];
      if (y >= 2 * half || x >= 2 * half) return value;
      const quarter = from[2 * Number(y >= half) + Number(x >= half)] as number;
      const [row, column] = [(y % half) + half * (quarter >> 1), (x % half) + half * (quarter % 2)];
      return part[(row * internal + column) * channels + (k % channels)] as number;
    });
  },
} satisfies Record<string, (place: Place) => Float32Array>;

/** Points along a side at which the field of a bent part is drawn. */
const KNOTS = 4;

/**
 * A part whose pixels come from elsewhere, bilinear.
 *
 * @param from where the pixel at (y, x) comes from; both from the middle of the part
 */
function moved(
  { image, row, column, internal }: Pick<Place, 'image' | 'row' | 'column' | 'internal'>,
  from: (y: number, x: number) => readonly [y: number, x: number],
): Float32Array {
  const middle = (internal - 1) / 2;
  const values = new Float32Array(internal * internal * image.channels);
  for (let y = 0, to = 0; y < internal; y++) {
    for (let x = 0; x < internal; x++) {
      const [down, across] = from(y - middle, x - middle);
      for (let c = 0; c < image.channels; c++)
        values[to++] = pixel(image, row + middle + down, column + middle + across, c);
    }
  }
  return values;
}

const scaled = (place: Place, factor: number): Float32Array =>
  moved(place, (y, x) => [y / factor, x / factor]);

/** Scaled by a factor of 0.6 where `size` is 0, to 0.85 where it is 1. */
const shrunk = (place: Place, size: number): Float32Array => scaled(place, 0.6 + 0.25 * size);

const clamped = (value: number): number => Math.min(1, Math.max(0, value));

/** A value of an image between its pixels, bilinear; outside it is 0. */
function pixel(image: View, y: number, x: number, c: number): number {
  const { pixels, height, width, channels, inverse } = image;
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const at = (row: number, column: number): number => {
    if (row < 0 || row >= height || column < 0 || column >= width) return 0;
    const value = (pixels[(row * width + column) * channels + c] as number) / 256;
    return inverse ? 1 - value : value;
  };
  const across = (row: number) => (left + 1 - x) * at(row, left) + (x - left) * at(row, left + 1);
  return (top + 1 - y) * across(top) + (y - top) * across(top + 1);
}

/** The discrete cosine transform of 8 values: coefficient u of value x is at [u][x]. */
const DCT = Array.from({ length: 8 }, (_, u) =>
  Array.from(
    { length: 8 },
    (_, x) => Math.cos(((2 * x + 1) * u * Math.PI) / 16) * Math.sqrt((u ? 2 : 1) / 8),
  ),
);

/** The steps of luminance at quality 50, in levels (ISO/IEC 10918-1, table K.1). */
// biome-ignore format: a table
const STEPS = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
  14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
  18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
  49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/** A square in blocks of 8 × 8 from its corner, their coefficients rounded to multiples of the steps. */
export function compressed(
  { image, row, column, internal }: Place,
  coarseness: number,
): Float32Array {
  const side = 8 * Math.ceil(internal / 8);
  const { channels } = image;
  const square = cut(image, row, column, side);
  const out = new Float32Array(internal * internal * channels);
  const block = new Float64Array(64);
  for (let top = 0; top < side; top += 8) {
    for (let left = 0; left < side; left += 8) {
      for (let c = 0; c < channels; c++) {
        const at = (k: number) => ((top + (k >> 3)) * side + left + (k & 7)) * channels + c;
        for (let k = 0; k < 64; k++) block[k] = square[at(k)] as number;
        const coefficients = transformed(block, false).map((value, k) => {
          const step = (coarseness * (STEPS[k] as number)) / 255;
          return Math.round(value / step) * step;
        });
        transformed(coefficients, true).forEach((value, k) => {
          const [y, x] = [top + (k >> 3), left + (k & 7)];
          if (y < internal && x < internal) out[(y * internal + x) * channels + c] = clamped(value);
        });
      }
    }
  }
  return out;
}

/** The cosine transform of a block of 8 × 8, or its inverse. */
function transformed(block: Float64Array, inverse: boolean): Float64Array {
  const weight = (u: number, x: number) => (inverse ? DCT[x]?.[u] : DCT[u]?.[x]) as number;
  /** Along rows; the result is transposed. */
  const along = (from: Float64Array) =>
    from.map((_, k) => {
      let sum = 0;
      for (let x = 0; x < 8; x++) sum += weight(k >> 3, x) * (from[8 * (k & 7) + x] as number);
      return sum;
    });
  return along(along(block));
}

/** The name of an alteration. */
export type Alteration = keyof typeof ALTERATIONS;
