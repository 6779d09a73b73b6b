/** Running statistics for a generator with averaged weights. */
import { type OnnxModel, spec, trace } from '@gpn/export/trace';
import { type Network, STATISTICS_KEPT } from '@gpn/models';
import { openSession, type TensorData } from '@gpn/runtime';
import type * as tf from '@tensorflow/tfjs-core';
import type { Draw, Shares } from '../data/feeds/feeds.js';
import { latentsFor } from '../methods/shared.js';
import type { Recipe } from '../recipe/schema.js';
import { mapRecord } from '../records.js';
import { BATCH, measuredBy, type StatisticsPlan } from './measured.js';

/**
 * Measures the running statistics that batch normalisation uses with averaged weights, on images drawn
 * with these weights. Neither the statistics of the trained weights nor their average would fit:
 * noise in the trained weights, which the average is free of, spreads their activations (Izmailov et
 * al. 2018 also measure again after averaging). The recipe's seed determines the images, so a
 * checkpoint is always exported to the same bytes.
 *
 * @param params the averaged weights, by name
 * @param shares of the classes of the training images; all equal by default
 * @returns running means and variances, by name: all buffers of a generator
 */
export async function measuredStatistics(
  recipe: Recipe,
  generator: Network,
  params: Readonly<Record<string, TensorData>>,
  shares?: Shares,
): Promise<Record<string, TensorData>> {
  if (Object.keys(generator.buffers).length === 0) return {};
  const bytes = traceStatistics(recipe, generator).toBytes();
  const session = await openSession(bytes, { device: 'cpu' });
  try {
    return await measuredBy(session, statisticsPlan(recipe, generator), params, { shares });
  } finally {
    await session.dispose();
  }
}

/** The graph of a pass: running statistics before and after it, and the weights. */
export function traceStatistics({ model }: Recipe, generator: Network): OnnxModel {
  const specs = (of: Readonly<Record<string, { shape: readonly number[] }>>) =>
    mapRecord(of, ({ shape }) => spec(shape));
  return trace(
    ({ latents: z, before, weights, conditions }) => ({
      after: generator.apply(weights, before, z as tf.Tensor, { training: true, conditions })
        .buffers,
    }),
    {
      latents: spec([BATCH, model.latent.size]),
      before: specs(generator.buffers),
      weights: specs(generator.params),
      conditions: mapRecord(generator.conditions, (size) => spec([BATCH, size])),
    },
    { name: 'running statistics' },
  );
}

/** What a pass draws: uniformly distributed classes, categories and codes, and latents. */
export function statisticsPlan(recipe: Recipe, generator: Network): StatisticsPlan {
  const given = Object.entries(generator.conditions).map(([name, size]): [string, Draw] => {
    const shape = [BATCH, size];
    const draw: Draw =
      name === 'codes' ? { kind: 'uniform', shape, low: -1, high: 1 } : { kind: 'classes', shape };
    return [`conditions/${name}`, draw];
  });
  return {
    seed: recipe.training.seed,
    kept: STATISTICS_KEPT,
    draws: { ...Object.fromEntries(given), latents: latentsFor(recipe, BATCH) },
    shapes: mapRecord(generator.buffers, ({ shape }) => shape),
  };
}
