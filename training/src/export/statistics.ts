/** Running statistics for a generator with averaged weights. */
import { spec, trace } from '@gpn/export';
import { type Network, prefixed, STATISTICS_KEPT } from '@gpn/models';
import { openSession, product, stream, type TensorData } from '@gpn/runtime';
import type * as tf from '@tensorflow/tfjs-core';
import { floats, oneHot } from '../data/tensors.js';
import { drawLatents } from '../methods/shared.js';
import type { Recipe } from '../recipe/schema.js';
import { mapRecord } from '../records.js';

/** Images of a pass, and passes. The last twenty make up most of a running average. */
const [BATCH, PASSES] = [256, 40];

/**
 * Measures the running statistics that batch normalisation uses with averaged weights, on images drawn
 * with these weights. Neither the statistics of the trained weights nor their average would fit:
 * noise in the trained weights, which the average is free of, spreads their activations (Izmailov et
 * al. 2018 also measure again after averaging). The recipe's seed determines the images, so a
 * checkpoint is always exported to the same bytes.
 *
 * @param params the averaged weights, by name
 * @returns running means and variances, by name: all buffers of a generator
 */
export async function measuredStatistics(
  recipe: Recipe,
  generator: Network,
  params: Readonly<Record<string, TensorData>>,
): Promise<Record<string, TensorData>> {
  const names = Object.keys(generator.buffers);
  if (names.length === 0) return {};
  const specs = (of: Readonly<Record<string, { shape: readonly number[] }>>) =>
    mapRecord(of, ({ shape }) => spec(shape));
  const model = trace(
    ({ latents: z, before, weights, conditions }) => ({
      after: generator.apply(weights, before, z as tf.Tensor, { training: true, conditions })
        .buffers,
    }),
    {
      latents: spec([BATCH, recipe.model.latent.size]),
      before: specs(generator.buffers),
      weights: specs(generator.params),
      conditions: mapRecord(generator.conditions, (size) => spec([BATCH, size])),
    },
    { name: 'running statistics' },
  );
  const session = await openSession(model.toBytes(), { device: 'cpu' });
  try {
    let running = mapRecord(generator.buffers, ({ shape }) =>
      floats(shape, new Float32Array(product(shape))),
    );
    for (let pass = 0; pass < PASSES; pass++) {
      const outputs = await session.run({
        ...prefixed('weights', params),
        ...prefixed('before', running),
        ...drawn(recipe, generator, pass),
      });
      running = Object.fromEntries(
        names.map((name) => [name, outputs[`after/${name}`] as TensorData]),
      );
    }
    // They started at 0; remove the remaining share of that.
    const seen = 1 - STATISTICS_KEPT ** PASSES;
    const share = (x: number) => x / seen;
    return mapRecord(running, ({ shape, data }) =>
      floats(shape, Float32Array.from(data as Float32Array, share)),
    );
  } finally {
    await session.dispose();
  }
}

/** Draws the inputs of a pass: latents, and uniformly distributed classes, categories and codes. */
function drawn(recipe: Recipe, { conditions }: Network, pass: number): Record<string, TensorData> {
  const random = stream(recipe.training.seed, 'statistics', pass);
  const given = Object.entries(conditions).map(([name, size]): [string, TensorData] => [
    name,
    name === 'codes'
      ? floats([BATCH, size], random.uniform(BATCH * size))
      : oneHot(random.below(BATCH, size), size),
  ]);
  const conditioned = prefixed('conditions', Object.fromEntries(given));
  return { latents: drawLatents(recipe, random, BATCH), ...conditioned };
}
