/**
 * Fragments of images, real and altered, from which the discriminator of a Generative Predictive
 * Network learns. A fragment is a small square cut from an image that is padded with zeros. Its
 * *internal part* lies completely inside the image and may be altered. The *frame* around it is the
 * context and always real.
 */
import type { RandomStream } from '@gpn/runtime';
import { rowsAt } from './images.js';
import type { Images } from './types.js';

/** Side of the internal part and width of the frame, in pixels. */
export interface FragmentSize {
  readonly internal: number;
  readonly frame: number;
}

/** The side of a fragment in pixels: internal + 2 · frame. */
export const sideOf = ({ internal, frame }: FragmentSize): number => internal + 2 * frame;

type Size = Pick<Images, 'height' | 'width'>;

/**
 * The top left corners of internal parts, in pixels of the image. They are also the corners of the
 * fragments in the padded image.
 */
export interface Corners {
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
}

/** Draws corners uniformly from all (height − internal + 1) · (width − internal + 1) positions. */
export const drawCorners = (
  random: RandomStream,
  count: number,
  { height, width }: Size,
  internal: number,
): Corners => ({
  rows: random.below(count, height - internal + 1),
  columns: random.below(count, width - internal + 1),
});

/**
 * The indices of the pixels of fragments in an image padded with `frame` zeros on every side, row by
 * row, to gather them in a graph.
 *
 * @returns [corners · side · side]
 */
export function fragmentIndices(
  { rows, columns }: Corners,
  { width }: Pick<Size, 'width'>,
  size: FragmentSize,
): Int32Array {
  const side = sideOf(size);
  const stride = width + 2 * size.frame;
  const indices = new Int32Array(rows.length * side * side);
  let at = 0;
  for (const [k, row] of rows.entries()) {
    const corner = row * stride + (columns[k] as number);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) indices[at++] = corner + y * stride + x;
    }
  }
  return indices;
}

/** Cuts a square of `side` pixels with its corner at (row, column); outside the image it is 0. */
function cut(image: View, row: number, column: number, side: number): Float32Array {
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

/** One image of a data set, as pixels / 256, or as 1 − pixels / 256. */
interface View extends Size {
  readonly pixels: Uint8Array;
  readonly channels: number;
  readonly inverse: boolean;
}

interface Place {
  readonly image: View;
  /** The next image of the data set; with inverses, its inverse half of the time. */
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
} satisfies Record<string, (place: Place) => Float32Array>;

/** The name of an alteration. */
export type Alteration = keyof typeof ALTERATIONS;
/** The kind of an example: a real fragment or an alteration. */
export type Kind = 'real' | Alteration;

/** How examples are made from images. */
export interface FragmentOptions extends FragmentSize {
  /** The weight of each alteration relative to a real fragment, whose weight is 1. */
  readonly negatives: Readonly<Partial<Record<Alteration, number>>>;
  /** Whether each image is also shown as its inverse, 1 − x. */
  readonly inverse: boolean;
}

/** The kinds of examples made from each fragment, in order; real first. */
export const kindsOf = ({ negatives }: Pick<FragmentOptions, 'negatives'>): Kind[] => [
  'real',
  ...(Object.keys(ALTERATIONS) as Alteration[]).filter((kind) => negatives[kind]),
];

/** Number of views. With inverses, view 2n is image n and view 2n + 1 its inverse. */
export const viewCount = (
  { count }: Pick<Images, 'count'>,
  { inverse }: FragmentOptions,
): number => (inverse ? 2 * count : count);

/** Examples for the discriminator. */
export interface FragmentBatch {
  /** [count, side, side, channels], values from 0 to 1. */
  readonly fragments: Float32Array;
  /** The class of each: 1 real, 0 altered. */
  readonly labels: Float32Array;
  /** The weight of each in the loss. */
  readonly weights: Float32Array;
  readonly kinds: readonly Kind[];
}

/**
 * Makes `count` examples for the discriminator. Each fragment is cut from one view at its own corner
 * and gives one example of every kind, real first; the last fragment may give fewer.
 *
 * @param views at least ⌈count / kinds⌉ numbers below {@link viewCount}
 */
export function fragmentBatch(
  data: Images,
  views: ArrayLike<number>,
  count: number,
  options: FragmentOptions,
  random: RandomStream,
): FragmentBatch {
  const { internal, frame, negatives } = options;
  const kinds = kindsOf(options);
  const side = sideOf(options);
  const length = side * side * data.channels;
  const fragments = new Float32Array(count * length);
  const drawn = Math.ceil(count / kinds.length);
  const { rows, columns } = drawCorners(random, drawn, data, internal);
  let real: Float32Array = new Float32Array(length);
  for (let at = 0; at < count; at++) {
    const k = Math.floor(at / kinds.length);
    const kind = kinds[at % kinds.length] as Kind;
    const view = views[k] as number;
    const [row, column] = [rows[k] as number, columns[k] as number];
    const image = viewOf(data, view, options.inverse);
    if (kind === 'real') real = cut(image, row - frame, column - frame, side);
    fragments.set(real, at * length);
    if (kind !== 'real') {
      const other = () => viewOf(data, nextView(view, options.inverse, random), options.inverse);
      const part = ALTERATIONS[kind]({ image, other, row, column, internal, random });
      paste(fragments.subarray(at * length, (at + 1) * length), part, options, data.channels);
    }
  }
  const shown = Array.from({ length: count }, (_, at) => kinds[at % kinds.length] as Kind);
  return {
    fragments,
    labels: Float32Array.from(shown, (kind) => (kind === 'real' ? 1 : 0)),
    weights: Float32Array.from(shown, (kind) =>
      kind === 'real' ? 1 : (negatives[kind] as number),
    ),
    kinds: shown,
  };
}

/** A view by its number, modulo the size of the data set. */
function viewOf(data: Images, number: number, inverses: boolean): View {
  const { height, width, channels } = data;
  const index = (inverses ? number >> 1 : number) % data.count;
  const pixels = rowsAt(data, [index]);
  return { pixels, height, width, channels, inverse: inverses && number % 2 === 1 };
}

const nextView = (view: number, inverses: boolean, random: RandomStream): number =>
  inverses ? (view | 1) + 1 + (random.below(1, 2)[0] as number) : view + 1;

/** Writes an internal part into its fragment. */
function paste(
  fragment: Float32Array,
  part: Float32Array,
  size: FragmentSize,
  channels: number,
): void {
  const { internal, frame } = size;
  const side = sideOf(size);
  for (let y = 0; y < internal; y++) {
    const line = part.subarray(y * internal * channels, (y + 1) * internal * channels);
    fragment.set(line, ((y + frame) * side + frame) * channels);
  }
}
