/**
 * What a step is fed, made of a data set and random streams by a plan. The plan is data, so that the file
 * of a step can carry it into a page, where this same code makes the same feeds.
 */
import { product, type RandomStream, stream, type TensorData, UserError } from '@gpn/runtime';
import { batches, gatherLabels } from '../batches.js';
import { distort, drawAffine } from '../distort.js';
import { flipSome } from '../flip.js';
import { floats, oneHot, pixels } from '../tensors.js';
import type { Images } from '../types.js';

/** How an input of noise is drawn: numbers of a distribution, or one-hot rows of classes. */
export type Draw =
  | { readonly kind: 'normal'; readonly shape: readonly number[] }
  | (Repeated & { readonly kind: 'uniform'; readonly low: number; readonly high: number })
  | (Repeated & { readonly kind: 'classes'; readonly shares?: Shares });

/** How often each class is drawn, 0 to 1. */
export type Shares = readonly number[];

interface Repeated {
  readonly shape: readonly number[];
  /** So many rows are drawn, and repeated up to the shape; all of them unless given. */
  readonly distinct?: number;
}

/** How the feeds of each step are made. */
export interface FeedPlan {
  /** Of the streams of orders, flips, distortions and noise; each step has its own of each. */
  readonly seed: number;
  /** Images of a step. */
  readonly images: number;
  /** Whether half of them are shown as in a mirror. */
  readonly flip: boolean;
  /** The number of classes, if their labels are fed as one-hot rows. */
  readonly classes?: number;
  /** Whether distorted copies of the images are fed, too. */
  readonly distorted: boolean;
  /** Noise by name, in the order in which it is drawn. */
  readonly noise: Readonly<Record<string, Draw>>;
}

/** Numbers on (0, 1). */
export const uniform = (shape: readonly number[]): Draw => ({
  kind: 'uniform',
  shape,
  low: 0,
  high: 1,
});

type DrawOf<K> = Extract<Draw, { kind: K }>;
const DRAWS: { [K in Draw['kind']]: (draw: DrawOf<K>, random: RandomStream) => TensorData } = {
  normal: ({ shape }, random) => floats(shape, random.normal(product(shape))),
  uniform({ shape, low, high, distinct }, random) {
    const [rows = 1, ...row] = shape;
    const values = random.uniform((distinct ?? rows) * product(row), low, high);
    return floats(shape, repeated(values, product(shape)));
  },
  classes({ shape, distinct, shares }, random) {
    const [rows, classes] = shape as [number, number];
    return oneHot(
      repeated(drawClasses(distinct ?? rows, shares ?? classes, random), rows),
      classes,
    );
  },
};

/** Draws classes: each as often as its share says, or a number of them equally often. */
export function drawClasses(
  count: number,
  shares: Shares | number,
  random: RandomStream,
): Uint32Array {
  if (typeof shares === 'number') return random.below(count, shares);
  const ends = shares.map((_, k) => shares.slice(0, k + 1).reduce((a, b) => a + b, 0));
  const last = shares.findLastIndex((share) => share > 0);
  return Uint32Array.from(random.uniform(count, 0, 1), (x) => {
    const found = ends.findIndex((end) => x < end);
    return found < 0 ? last : found;
  });
}

/** Draws an input of noise. */
export const drawn = (draw: Draw, random: RandomStream): TensorData =>
  DRAWS[draw.kind](draw as never, random);

/** Repeats values up to a length. */
function repeated<T extends Float32Array | Uint32Array>(values: T, length: number): T {
  if (values.length === length) return values;
  const all = values.slice(0, 0).constructor as new (length: number) => T;
  const filled = new all(length);
  for (let at = 0; at < length; at += values.length) {
    filled.set(values.subarray(0, length - at), at);
  }
  return filled;
}

/**
 * The feeds of a data set by a plan, each a function of the number of its step alone.
 * @param rows copies the pixels of some images
 * @throws UserError if there are fewer images than a step shows, or not the classes that it needs
 */
export function fedBy(
  { seed, images, flip, classes, distorted, noise }: FeedPlan,
  dataset: Omit<Images, 'images'>,
  rows: (chosen: Uint32Array) => Uint8Array,
) {
  if (classes !== undefined) checkClasses(dataset, classes);
  const { stepsPerEpoch, indices } = batches(seed, dataset.count, images);
  const { height, width, channels } = dataset;
  const shape = [images, height, width, channels];
  const bent = (shown: Uint8Array, random: RandomStream) =>
    distort(
      shown,
      dataset,
      Array.from({ length: images }, () => drawAffine(random, dataset)),
    );
  return {
    stepsPerEpoch,
    feeds(k: number): Readonly<Record<string, TensorData>> {
      const chosen = indices(k);
      const shown = rows(chosen);
      if (flip) flipSome(shown, dataset, stream(seed, 'flip', k));
      const random = stream(seed, 'noise', k);
      return {
        'batch/images': pixels(shape, shown),
        ...(classes && { 'batch/labels': oneHot(gatherLabels(dataset, chosen), classes) }),
        ...Object.fromEntries(
          Object.entries(noise).map(([name, draw]) => [`noise/${name}`, drawn(draw, random)]),
        ),
        ...(distorted && {
          'batch/bent': pixels(shape, bent(shown, stream(seed, 'bend', k))),
        }),
      };
    },
  };
}

function checkClasses({ name, classes }: Pick<Images, 'name' | 'classes'>, wanted: number): void {
  if (classes?.length === wanted) return;
  throw new UserError(
    classes
      ? `${name} has ${classes.length} classes, but the recipe needs ${wanted}.`
      : `${name} has no labels, which the recipe needs: put the images into a folder for each class.`,
  );
}
