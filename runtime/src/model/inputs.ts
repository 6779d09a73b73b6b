/** What a generator draws its images from: latents, classes and codes, all set by one seed. */

import { UserError } from '../errors.js';
import type { ModelInfo } from '../format/model-info.js';
import { stream } from '../random/random.js';
import { type BatchOptions, checkCount, type Feed, product } from '../session/batches.js';

export interface SampleOptions extends BatchOptions {
  /** How many images; as many as `latents` hold, or 64. */
  count?: number;
  /** A whole number in [0, 2^53); the same seed gives the same images. 0 unless given. */
  seed?: number;
  /** Latents of one's own, [count, size] row by row, instead of the seed's. */
  latents?: Float32Array;
  /** A class for all images or one for each; image k has class k mod classes unless given. */
  labels?: number | ArrayLike<number>;
  /** Codes of one's own, [count, size] row by row, instead of the seed's. */
  codes?: Float32Array;
}

const latentOf = (info: ModelInfo) => {
  if (info.latent === undefined) throw new UserError(`${info.name} is no generator.`);
  return info.latent;
};

/**
 * The latents [count, size] of a seed: the stream with the path `latents`, row by row. Row k does
 * not depend on `count`.
 */
export function latents(info: ModelInfo, count: number, seed: number): Float32Array {
  const { size, distribution } = latentOf(info);
  return stream(seed, 'latents')[distribution](count * size);
}

/** The codes [count, size] of a seed, uniform: the stream with the path `codes`, row by row. */
export function codesOf({ name, codes }: ModelInfo, count: number, seed: number): Float32Array {
  if (codes === undefined) throw new UserError(`${name} takes no codes.`);
  return stream(seed, 'codes').uniform(count * codes.size, ...codes.range);
}

/** How many images these options ask for. */
export function countOf(info: ModelInfo, options: SampleOptions): number {
  const { size } = latentOf(info);
  const { image } = info;
  const count = options.count ?? (options.latents ? options.latents.length / size : 64);
  checkCount(count, Math.max(size, image.height * image.width * image.channels), 'images');
  return count;
}

/** One-hot [count, classes] of one class for all or one for each. */
export function oneHot(info: ModelInfo, labels: number | ArrayLike<number>, count: number): Feed {
  const { input, classes } = info.condition as NonNullable<ModelInfo['condition']>;
  if (typeof labels !== 'number' && labels.length !== count) {
    throw new UserError(`There are ${labels.length} labels for ${count} images.`);
  }
  const labelOf = (k: number) => (typeof labels === 'number' ? labels : (labels[k] as number));
  for (let k = 0; k < (typeof labels === 'number' ? 1 : count); k++) {
    const label = labelOf(k);
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new UserError(
        `${info.name} has no class ${label}: its classes are 0 to ${classes - 1}.`,
      );
    }
  }
  const data = (at: number, n: number): Float32Array => {
    const rows = new Float32Array(n * classes);
    for (let k = 0; k < n; k++) rows[k * classes + labelOf(at + k)] = 1;
    return rows;
  };
  return { name: input, shape: [classes], data };
}

/** The inputs of a generator for `count` images. */
export function generatorFeeds(info: ModelInfo, count: number, options: SampleOptions): Feed[] {
  const { seed = 0 } = options;
  const { condition, codes } = info;
  const { size } = latentOf(info);
  const feeds = [
    exactly(info.input, [size], count, options.latents ?? latents(info, count, seed), 'latents'),
  ];
  if (condition !== undefined) {
    const classes = { length: count };
    const labels = options.labels ?? Array.from(classes, (_, k) => k % condition.classes);
    feeds.push(oneHot(info, labels, count));
  } else if (options.labels !== undefined) {
    throw new UserError(`${info.name} has no classes, so it takes no labels.`);
  }
  if (codes !== undefined) {
    const { input, size } = codes;
    const values = options.codes ?? codesOf(info, count, seed);
    feeds.push(exactly(input, [size], count, values, 'codes'));
  } else if (options.codes !== undefined) {
    throw new UserError(`${info.name} takes no codes.`);
  }
  return feeds;
}

function exactly(
  name: string,
  shape: number[],
  count: number,
  data: Float32Array,
  what: string,
): Feed {
  if (data.length !== count * product(shape)) {
    throw new UserError(
      `${count} images take ${count} × ${product(shape)} ${what}, not ${data.length} values.`,
    );
  }
  return { name, shape, data };
}
