/** The feeds of a Generative Predictive Network's two phases, by plans that the file of a step can carry. */
import { type RandomStream, stream, type TensorData } from '@gpn/runtime';
import { batches } from '../batches.js';
import { drawCorners, type FragmentSize, sideOf } from '../fragments/corners.js';
import {
  type FragmentOptions,
  fragmentBatch,
  fragmentIndices,
  viewCount,
} from '../fragments/fragments.js';
import { type PatchSettings, patchBatch } from '../fragments/patches.js';
import type { RegionOptions } from '../fragments/regions.js';
import { floats } from '../tensors.js';
import type { Images } from '../types.js';
import { type Draw, drawn } from './feeds.js';

/** How the discriminator's fragments are made. */
export interface FragmentPlan {
  readonly kind: 'fragments';
  /** Of the streams of orders, fragments and noise; each step has its own. */
  readonly seed: number;
  /** Images of a step. */
  readonly images: number;
  /** Fragments (or patches) of a step, and of each image in an epoch. */
  readonly count: number;
  readonly perImage: number;
  readonly options: FragmentOptions;
  /** Patches with many fragments each, if that is what the discriminator is shown. */
  readonly patches?: PatchSettings | undefined;
  /** The noise of dropout by layer, in the order in which it is drawn. */
  readonly dropout: Readonly<Record<string, Draw>>;
  /** Fragments of generated images that are added, if any: how many, their weight and their latents. */
  readonly rival?:
    | { readonly generated: number; readonly weight: number; readonly latents: Draw }
    | undefined;
}

/** How the places of the fragments that judge the generator are made, and its latents. */
export interface DeceptionPlan {
  readonly kind: 'deception';
  readonly seed: number;
  /** Images of a step. */
  readonly images: number;
  /** Fragments of each. */
  readonly fragments: number;
  readonly size: FragmentSize;
  readonly latents: Draw;
}

type Feeds = Readonly<Record<string, TensorData>>;

/** The feeds of the discriminator: fragments of a data set, real and altered. */
export function fragmentsBy(plan: FragmentPlan, dataset: Images) {
  const { seed, images, count, perImage, options, patches, dropout, rival } = plan;
  const order = batches(seed, viewCount(dataset, options), images);
  const side = patches ? sideOf({ ...options, ...patches }) : sideOf(options);
  const judged = count * (patches?.across ?? 1) ** 2;
  const rows = judged + (rival?.generated ?? 0);
  /** Appends the value `more` for each fragment of a generated image. */
  const all = (values: Float32Array, more: number): TensorData => {
    const whole = new Float32Array(rows).fill(more);
    whole.set(values);
    return floats([rows], whole);
  };
  return {
    stepsPerEpoch: order.stepsPerEpoch * perImage,
    feeds(k: number): Feeds {
      const random = stream(seed, 'fragments', k);
      const views = order.indices(k);
      const made = patches
        ? patchBatch(dataset, views, withRegion(options), patches, random)
        : fragmentBatch(dataset, views, count, options, random);
      return {
        'batch/fragments': floats([count, side, side, dataset.channels], made.fragments),
        'batch/labels': all(made.labels, 0),
        'batch/weights': all(made.weights, rival?.weight ?? 0),
        ...Object.fromEntries(
          Object.entries(dropout).map(([name, draw]) => [
            `noise/dropout/${name}`,
            drawn(draw, random),
          ]),
        ),
        ...(rival && {
          'batch/places': placesOf(dataset, rival.generated, options, random),
          'noise/latents': drawn(rival.latents, random),
        }),
      };
    },
  };
}

/** The options of patches, which the check of a recipe gives a region. */
const withRegion = (options: FragmentOptions) =>
  options as FragmentOptions & { readonly region: RegionOptions };

/** The feeds of the generator: its steps show no images of the data. */
export const deceptionBy = (
  { seed, fragments, size, latents }: DeceptionPlan,
  dataset: Pick<Images, 'height' | 'width'>,
) => ({
  stepsPerEpoch: Number.POSITIVE_INFINITY,
  feeds(k: number): Feeds {
    const random = stream(seed, 'deception', k);
    return {
      'batch/places': placesOf(dataset, fragments, size, random),
      'noise/latents': drawn(latents, random),
    };
  },
});

const placesOf = (
  dataset: Pick<Images, 'height' | 'width'>,
  count: number,
  size: FragmentSize,
  random: RandomStream,
): TensorData => {
  const data = fragmentIndices(drawCorners(random, count, dataset, size.internal), dataset, size);
  return { dtype: 'int32', shape: [data.length], data };
};
