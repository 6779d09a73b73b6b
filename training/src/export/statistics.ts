/** Running statistics for a generator whose weights are an average. */
import { spec, trace } from '@gpn/export';
import { type Network, prefixed, STATISTICS_KEPT } from '@gpn/models';
import { openSession, stream, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { floats, oneHot } from '../data/tensors.js';
import { drawLatents } from '../methods/shared.js';
import type { Recipe } from '../recipe/schema.js';

/** Images of a pass, and passes: the last twenty or so make up most of a running average. */
const [BATCH, PASSES] = [256, 40];

/**
 * What batch normalisation is to use with these weights, measured on images that they draw. The
 * statistics of the generator in training are of other weights than their average, and an average
 * of statistics fits it no better: noise in weights that the average is rid of spread their
 * activations (Izmailov et al. 2018 measure anew after averaging, too). From the recipe's seed, so
 * that a checkpoint is exported to the same bytes each time.
 *
 * @param params the weights, by name
 * @returns running means and variances, by name: all that generators have for buffers
 */
export async function measuredStatistics(
  recipe: Recipe,
  generator: Network,
  params: Readonly<Record<string, TensorData>>,
): Promise<Record<string, TensorData>> {
  const names = Object.keys(generator.buffers);
  if (names.length === 0) return {};
  const specs = (of: Readonly<Record<string, { shape: readonly number[] }>>) =>
    Object.fromEntries(Object.entries(of).map(([name, { shape }]) => [name, spec(shape)]));
  const model = trace(
    ({ latents: z, before, weights, conditions }) => ({
      after: generator.apply(weights, before, z as tf.Tensor, { training: true, conditions })
        .buffers,
    }),
    {
      latents: spec([BATCH, recipe.model.latent.size]),
      before: specs(generator.buffers),
      weights: specs(generator.params),
      conditions: Object.fromEntries(
        Object.entries(generator.conditions).map(([name, size]) => [name, spec([BATCH, size])]),
      ),
    },
    { name: 'running statistics' },
  );
  const session = await openSession(model.toBytes(), { device: 'cpu' });
  try {
    let running = Object.fromEntries(
      Object.entries(generator.buffers).map(([name, { shape }]) => [
        name,
        floats(shape, new Float32Array(tf.util.sizeFromShape([...shape]))),
      ]),
    ) as Record<string, TensorData>;
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
    // They began at 0, and keep that share of it.
    const seen = 1 - STATISTICS_KEPT ** PASSES;
    return Object.fromEntries(
      Object.entries(running).map(([name, { shape, data }]) => [
        name,
        floats(
          shape,
          Float32Array.from(data as Float32Array, (x) => x / seen),
        ),
      ]),
    );
  } finally {
    await session.dispose();
  }
}

/** What a pass draws: latents, and whatever else the generator is given, all values alike often. */
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
