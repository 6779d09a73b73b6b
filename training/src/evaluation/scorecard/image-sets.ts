/** The sets of images that are compared: real images, generated images and noise. */
import { type Generator, latents, type ModelInfo, stream, UserError } from '@gpn/runtime';
import { drawClasses, type Shares } from '../../data/feeds/feeds.js';
import { hashImages } from '../../data/images.js';
import { gather, rowsAt } from '../../data/rows.js';
import { loadDataset } from '../../data/sets/dataset.js';
import { isNamed } from '../../data/sets/names.js';
import type { Dataset, DatasetOptions, Pictures } from '../../data/types.js';
import { type Rows, rowsOf } from '../metrics/rows.js';
import type { Part } from './protocol.js';

/** Images with labels, if their classes are known. */
export interface Labelled extends Pictures {
  readonly labels?: Uint8Array;
}

/** The real images of an evaluation. */
export interface RealData {
  readonly name: string;
  readonly classes?: readonly string[];
  /** How often each class is in the training set; missing for named data, which counts as balanced. */
  readonly shares?: Shares;
  /** The training set. */
  readonly train: Labelled;
  /** The images that generated ones are compared with. */
  readonly reference: Labelled & { readonly hash: string };
  /** The images of the training set that are not among them, to measure in place of generated ones. */
  readonly others: Labelled;
  /** What the reference is. */
  readonly part: Exclude<Part, 'half'>;
}

type Size = Pick<Dataset, 'height' | 'width' | 'channels'>;
/** The size of a model's images, and how pictures become such images. */
type Wanted = Size & Pick<DatasetOptions, 'preparation'>;

/**
 * Loads real images of a generator's size.
 *
 * @param spec `mnist`, `fashion` or a folder. Half of a folder without a test set, drawn from a fixed
 *   seed, is used as the reference.
 * @param only names of the classes to keep; all by default
 * @throws UserError if the data is missing, broken, of another size, or only a few images
 */
export async function loadReal(
  spec: string,
  size: Wanted,
  only?: readonly string[],
): Promise<RealData> {
  const wanted = { ...size, ...(only && { classes: only }) };
  const train = await loadDataset(spec, { ...wanted, split: 'train' });
  const { name, classes, shares } = train;
  const common = { name, ...(classes && { classes }), ...(shares && { shares }) };
  try {
    const test = await loadDataset(spec, { ...wanted, split: 'test' });
    return enough({ ...common, train, reference: test, others: train, part: 'test' });
  } catch (error) {
    if (!(error instanceof UserError) || isNamed(spec)) throw error;
  }
  const order = stream(0, 'halves').permutation(train.count);
  const half = choose(train, order.subarray(0, train.count >> 1));
  const others = choose(train, order.subarray(train.count >> 1));
  const hash = hashImages({ name, ...half });
  return enough({ ...common, train, reference: { ...half, hash }, others, part: 'halves' });
}

/** A set of one image has neither neighbours nor a covariance. */
export const FEWEST = 2;

/** Checks that there are enough images. @throws UserError if there are not */
function enough(real: RealData): RealData {
  const { name, train, reference, others, part } = real;
  if (Math.min(reference.count, others.count) >= FEWEST) return real;
  const many = (n: number) => (n === 1 ? '1 image' : `${n} images`);
  throw new UserError(
    part === 'test'
      ? `${name} has ${many(train.count)} to train with and ${many(reference.count)} to test with: an evaluation takes at least ${FEWEST} of each.`
      : `${name} has ${many(train.count)}: an evaluation takes at least ${2 * FEWEST}, because it compares generated images with one half, and that with the other.`,
  );
}

/** Copies the images at these indices, with their labels. */
export function choose(from: Labelled, places: Uint32Array): Labelled & { channels: number } {
  const { height, width, channels, labels } = from;
  return {
    count: places.length,
    height,
    width,
    channels,
    images: rowsAt(from, places),
    ...(labels && { labels: gather(labels, 1, places) }),
  };
}

/** Draws `count` images, or all if there are fewer, without repetition; the seed decides which. */
export const chooseSome = (from: Labelled, count: number, seed: number): Labelled =>
  choose(from, stream(seed, 'choice').permutation(from.count).subarray(0, count));

/** Images of uniform noise, as a lower bound for generators. */
export function noise({ height, width, channels }: Size, count: number): Labelled {
  const images = Uint8Array.from(
    stream(0, 'noise images').below(count * height * width * channels, 256),
  );
  return { count, height, width, channels, images };
}

/**
 * Draws the same images as `sample({ count, seed })`, as bytes, in parts of a thousand to save memory.
 * The labels are the requested classes, in turn unless there are shares.
 * @param options.shares how often each class is requested, if the generator has as many
 */
export async function draw(
  generator: Generator,
  count: number,
  seed: number,
  options: {
    readonly shares?: Shares | undefined;
    readonly on?: (done: number, total: number) => void;
  } = {},
): Promise<Labelled> {
  const { info } = generator;
  const { height, width, channels } = info.image;
  const size = height * width * channels;
  const latentSize = info.latent?.size ?? 0;
  const allLatents = latents(info, count, seed);
  const { codes, condition } = info;
  const allCodes = codes && stream(seed, 'codes').uniform(count * codes.size, ...codes.range);
  const labels = condition && requested(condition, count, seed, options.shares);
  const images = new Uint8Array(count * size);
  const part = 1000;
  for (let at = 0; at < count; at += part) {
    const to = Math.min(count, at + part);
    const drawn = await generator.sample({
      latents: allLatents.subarray(at * latentSize, to * latentSize),
      ...(labels && { labels: labels.subarray(at, to) }),
      ...(allCodes && codes && { codes: allCodes.subarray(at * codes.size, to * codes.size) }),
    });
    images.set(drawn.toUint8(), at * size);
    options.on?.(to, count);
  }
  return { count, height, width, channels, images, ...(labels && { labels }) };
}

/** Values of an image at most; more do not help to find copies. */
const MAX_PIXELS = 3072;

/**
 * The pixels of the images from `from` up to `to` (exclusive) in [0, 1]. Large images are reduced by
 * averaging squares of pixels.
 */
export function pixelRows(pictures: Pictures, from = 0, to = pictures.count): Rows {
  const { height, width, channels, images } = pictures;
  const size = height * width * channels;
  if (size > MAX_PIXELS) return shrunk(pictures, from, to);
  const bytes = images.subarray(from * size, to * size);
  const out = new Float32Array(bytes.length);
  for (let i = 0; i < out.length; i++) out[i] = (bytes[i] as number) / 255;
  return rowsOf(out, size);
}

function shrunk({ height, width, channels, images }: Pictures, from: number, to: number): Rows {
  const by = Math.ceil(Math.sqrt((height * width * channels) / MAX_PIXELS));
  const [down, across] = [Math.floor(height / by), Math.floor(width / by)];
  const size = down * across * channels;
  const out = new Float32Array((to - from) * size);
  const share = 1 / (255 * by * by);
  for (let k = from; k < to; k++) {
    for (let y = 0; y < down * by; y++) {
      for (let x = 0; x < across * by; x++) {
        const square = Math.floor(y / by) * across + Math.floor(x / by);
        const to = (k - from) * size + square * channels;
        const at = ((k * height + y) * width + x) * channels;
        for (let c = 0; c < channels; c++) {
          out[to + c] = (out[to + c] as number) + (images[at + c] as number) * share;
        }
      }
    }
  }
  return rowsOf(out, size);
}

/** The classes of images to draw. Categories were learnt equally often, whatever the data has. */
function requested(
  { classes, input }: NonNullable<ModelInfo['condition']>,
  count: number,
  seed: number,
  shares: Shares | undefined,
): Uint8Array {
  return input === 'labels' && shares?.length === classes
    ? Uint8Array.from(drawClasses(count, shares, stream(seed, 'labels')))
    : Uint8Array.from({ length: count }, (_, k) => k % classes);
}
