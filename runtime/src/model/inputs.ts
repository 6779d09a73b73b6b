/** The inputs of a generator: latents, classes and codes, all determined by one seed. */

import { UserError } from '../errors.js';
import type { ModelInfo } from '../format/model-info.js';
import { stream } from '../random/random.js';
import { type BatchOptions, checkCount, type Feed } from '../session/batches.js';
import { product } from '../shape.js';

/** Which images a generator draws. */
export interface SampleOptions extends BatchOptions {
  /** Number of images, from 1; by default as many as there are `latents`, or 64. */
  count?: number;
  /** A whole number in [0, 2^53), 0 by default. The same seed gives the same inputs. */
  seed?: number;
  /** Latents to use instead of the seed's, [count, size] in row-major order. */
  latents?: ArrayLike<number>;
  /**
   * One class for all images, or one for each: whole numbers from 0. By default image k has class
   * k mod classes.
   */
  labels?: number | ArrayLike<number>;
  /** Codes to use instead of the seed's, [count, size] in row-major order. */
  codes?: ArrayLike<number>;
}

const latentOf = (info: ModelInfo) => {
  if (info.latent === undefined) throw new UserError(`${info.name} is not a generator.`);
  return info.latent;
};

/**
 * The latents [count, size] of a seed: the stream with the path `latents`, in row-major order. Row k
 * does not depend on `count`.
 *
 * @param seed a whole number in [0, 2^53)
 * @throws UserError if the model is not a generator or the seed is not valid
 */
export function latents(info: ModelInfo, count: number, seed: number): Float32Array {
  const { size, distribution } = latentOf(info);
  return stream(seed, 'latents')[distribution](count * size);
}

/**
 * The codes [count, size] of a seed, uniform over their range: the stream with the path `codes`, in
 * row-major order.
 *
 * @throws UserError if the model takes no codes
 */
export function codesOf({ name, codes }: ModelInfo, count: number, seed: number): Float32Array {
  if (codes === undefined) throw new UserError(`${name} takes no codes.`);
  return stream(seed, 'codes').uniform(count * codes.size, ...codes.range);
}

/**
 * The number of images that these options ask for.
 *
 * @throws UserError if there are none or too many
 */
export function countOf(info: ModelInfo, options: SampleOptions): number {
  const { size } = latentOf(info);
  const { image } = info;
  const count =
    options.count ?? (options.latents ? floats(options.latents, 'latents').length / size : 64);
  checkCount(count, Math.max(size, image.height * image.width * image.channels), 'images');
  return count;
}

/**
 * Classes as a one-hot input, [count, classes]: one class for all images or one for each.
 *
 * @throws UserError if the model has no such class, or there are not `count` of them
 */
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

/**
 * The inputs of a generator for `count` images.
 *
 * @throws UserError if the options do not suit the model
 */
export function generatorFeeds(info: ModelInfo, count: number, options: SampleOptions): Feed[] {
  const { seed = 0 } = options;
  const { condition, codes } = info;
  const { size } = latentOf(info);
  const feeds = [
    checkedFeed(
      info.input,
      [size],
      count,
      options.latents ?? latents(info, count, seed),
      'latents',
    ),
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
    feeds.push(checkedFeed(input, [size], count, values, 'codes'));
  } else if (options.codes !== undefined) {
    throw new UserError(`${info.name} takes no codes.`);
  }
  return feeds;
}

/**
 * Values as the array that ONNX Runtime takes; a list of numbers, as JSON gives it, is copied.
 *
 * @throws UserError if they are something else, such as a list of lists
 */
export function floats(values: ArrayLike<number>, what: string): Float32Array {
  if (values instanceof Float32Array) return values;
  const list = Array.from(values ?? []);
  if (list.length === 0 || list.some((value) => typeof value !== 'number')) {
    throw new UserError(`The ${what} must be one list of numbers, row by row.`);
  }
  return Float32Array.from(list);
}

function checkedFeed(
  name: string,
  shape: number[],
  count: number,
  values: ArrayLike<number>,
  what: string,
): Feed {
  const data = floats(values, what);
  if (data.length !== count * product(shape)) {
    throw new UserError(
      `${count} images take ${count} × ${product(shape)} ${what}, not ${data.length} values.`,
    );
  }
  return { name, shape, data };
}
