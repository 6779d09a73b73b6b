/**
 * Fragments of images, real and altered, from which the discriminator of a Generative Predictive
 * Network learns. A fragment is a small square cut from an image that is padded with zeros. Its
 * *internal part* lies completely inside the image and may be altered. The *frame* around it is the
 * context and always real.
 */
import type { RandomStream } from '@gpn/runtime';
import { reduced, reducedSize } from '@gpn/runtime/write';
import { rowsAt } from '../rows.js';
import type { Images } from '../types.js';
import { ALTERATIONS, type Alteration, cut, type View } from './alterations.js';
import { type Corners, drawCorners, type FragmentSize, type Size, sideOf } from './corners.js';
import { alterRegion, type RegionOptions } from './regions.js';

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

/** How examples are made from images. */
export interface FragmentOptions extends FragmentSize {
  /** The weight of each alteration relative to a real fragment, whose weight is 1. */
  readonly negatives: Readonly<Partial<Record<Alteration, number>>>;
  /** Whether each image is also shown as its inverse, 1 − x. */
  readonly inverse: boolean;
  /** What is altered, if it is not exactly the internal part. */
  readonly region?: RegionOptions | undefined;
  /** By how much images are reduced before fragments are cut from them, in turns; 1 alone unless given. */
  readonly scales?: readonly number[] | undefined;
  /**
   * Whether a part of another image is of any one, because the next one is often cut out of the same picture.
   * Otherwise it is of the next.
   */
  readonly crops?: boolean | undefined;
}

/** The kind of an example: a real fragment, altered beside its internal part, or an alteration. */
export type Kind = 'real' | 'beside' | Alteration;

/** The kinds of examples made from each fragment, in order; real first. */
export const kindsOf = ({
  negatives,
  region,
}: Pick<FragmentOptions, 'negatives' | 'region'>): Kind[] => [
  'real',
  ...(region?.beside ? (['beside'] as const) : []),
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
 * and gives one example of every kind, real first; the last fragment may give fewer. With several scales the
 * first fragment is of the first scale, the next of the next, and so on in turns.
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
  const { internal, frame, negatives, region, scales = [1] } = options;
  const kinds = kindsOf(options);
  const altering = kinds.filter((kind) => kind in ALTERATIONS) as Alteration[];
  const side = sideOf(options);
  const length = side * side * data.channels;
  const fragments = new Float32Array(count * length);
  const weights = new Float32Array(count);
  const drawn = Math.ceil(count / kinds.length);
  const corners = scales.map((scale, k) => {
    const own = Math.max(0, Math.ceil((drawn - k) / scales.length));
    return drawCorners(random, own, reducedSize(data, scale), internal);
  });
  let real: Float32Array = new Float32Array(length);
  let image: View | undefined;
  for (let at = 0; at < count; at++) {
    const k = Math.floor(at / kinds.length);
    const kind = kinds[at % kinds.length] as Kind;
    const view = views[k] as number;
    const turn = k % scales.length;
    const scale = scales[turn] as number;
    const { rows, columns } = corners[turn] as Corners;
    const own = Math.floor(k / scales.length);
    const [row, column] = [rows[own] as number, columns[own] as number];
    if (kind === 'real' || !image) {
      image = viewOf(data, view, options.inverse, scale);
      real = cut(image, row - frame, column - frame, side);
    }
    const fragment = fragments.subarray(at * length, (at + 1) * length);
    fragment.set(real);
    weights[at] = 1;
    if (kind === 'real') continue;
    const other = () =>
      viewOf(data, otherView(data, view, options, random), options.inverse, scale);
    const place = { image, other, row, column, internal, random };
    if (region) {
      const any = altering[random.below(1, altering.length)[0] as number] as Alteration;
      const chosen = kind === 'beside' ? any : kind;
      const changed = alterRegion(fragment, place, chosen, options, region, kind === 'beside');
      const weight = kind === 'beside' ? region.beside : negatives[kind];
      weights[at] = changed ? (weight as number) : 0;
    } else {
      const altered = kind as Alteration;
      paste(fragment, ALTERATIONS[altered](place), options, data.channels);
      weights[at] = negatives[altered] as number;
    }
  }
  const shown = Array.from({ length: count }, (_, at) => kinds[at % kinds.length] as Kind);
  const labels = Float32Array.from(shown, (kind) => (kind in ALTERATIONS ? 0 : 1));
  return { fragments, labels, weights, kinds: shown };
}

/** A view by its number, modulo the size of the data set, reduced by a scale. */
export function viewOf(data: Images, number: number, inverses: boolean, scale: number): View {
  const { channels } = data;
  const index = (inverses ? number >> 1 : number) % data.count;
  const whole = rowsAt(data, [index]);
  const pixels = scale === 1 ? whole : reduced(whole, data, channels, scale);
  return { pixels, ...reducedSize(data, scale), channels, inverse: inverses && number % 2 === 1 };
}

export function otherView(
  data: Images,
  view: number,
  options: FragmentOptions,
  random: RandomStream,
): number {
  if (options.crops) return random.below(1, viewCount(data, options))[0] as number;
  return options.inverse ? (view | 1) + 1 + (random.below(1, 2)[0] as number) : view + 1;
}

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
