/** What the names in a recipe stand for: its networks, and the method that trains them. */
import { NETWORKS, type Pair } from '@gpn/models';
import { withAverage } from '../methods/average.js';
import type { Method } from '../methods/method.js';
import { methodOf, type Recipe } from './schema.js';

/**
 * The networks of a recipe and the method that trains them.
 * @param width scales the networks' channels; tests use an eighth
 */
export function ganOf(recipe: Recipe, width?: number): Method & { readonly pair: Pair } {
  const pair = networksOf(recipe, width);
  const method = methodOf(recipe).make(recipe, pair);
  const keep = recipe.training.generator_average;
  return { pair, ...(keep ? withAverage(method, pair.generator, keep) : method) };
}

/**
 * The networks of a recipe.
 * @param width scales their channels; tests use an eighth
 * @param dense a discriminator of fragments in the form that slides over images
 */
export function networksOf({ model, data }: Recipe, width = 1, dense = false): Pair {
  const make = NETWORKS[model.network];
  if (!make) throw new Error(`there is no network ${model.network}`);
  const { classes, categories, codes, fragment } = model;
  return make({
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
    image: { height: data.height, width: data.width, channels: data.channels },
    dense,
  });
}
