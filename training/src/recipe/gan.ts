/** The networks of a recipe and the method that trains them. */
import type { Pair } from '@gpn/models';
import { withAverage } from '../methods/average.js';
import type { Method } from '../methods/method.js';
import { makerOf } from './own/networks.js';
import { methodOf, type Recipe } from './schema.js';

/**
 * Builds the networks of a recipe and the method that trains them.
 * @param width factor of the networks' channels, 1 by default; tests use 1/8
 */
export function ganOf(recipe: Recipe, width?: number): Method & { readonly pair: Pair } {
  const pair = networksOf(recipe, width);
  const method = methodOf(recipe).make(recipe, pair);
  const { generator_average: average, average_ramp: ramp } = recipe.training;
  return {
    pair,
    ...(average ? withAverage(method, pair.generator, ramp ? 'input' : average) : method),
  };
}

/**
 * Builds the networks of a recipe.
 * @param width factor of their channels, 1 by default; tests use 1/8
 * @param dense whether a fragment discriminator is built in its dense form, which slides over images
 *   of any size
 */
export function networksOf({ model, data, training }: Recipe, width = 1, dense = false): Pair {
  const { classes, categories, codes, fragment } = model;
  const { height, width: columns, channels } = data;
  const options = {
    width,
    latentSize: model.latent.size,
    batchNorm: model.batch_norm,
    spectralNorm: model.spectral_norm,
    conditions: {
      ...(classes && { labels: classes }),
      ...(categories && { categories }),
      ...(codes && { codes }),
    },
    ...(model.code_variance && { codeVariance: true }),
    ...(fragment && { fragment }),
    ...(model.width && { baseChannels: model.width }),
    range: data.range,
    dense,
  };
  const make = makerOf(model);
  const pairOf = (channels: number) =>
    make({ ...options, image: { height, width: columns, channels } });
  const { packing = 1 } = training;
  const pair = pairOf(channels);
  // A packed discriminator is one of images that have the channels of several.
  return packing === 1
    ? pair
    : { ...pair, discriminator: pairOf(packing * channels).discriminator };
}
