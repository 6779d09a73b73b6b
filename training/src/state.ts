import { spec } from '@gpn/export';
import { type Initialization, initialize, type Network, type Pair, type Specs } from '@gpn/models';
import type { RandomStream } from '@gpn/runtime';
import type { State } from './engine.js';
import type { Optimizer } from './optimizers.js';

/** The networks of a GAN, in the order in which their state is drawn. */
const ROLES = ['generator', 'discriminator'] as const;

const floats = (specs: Specs) =>
  Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, spec(shape)]));

const traineeSpecs = (network: Network, optimizer: Optimizer) => ({
  params: floats(network.params),
  buffers: floats(network.buffers),
  optimizer: floats(optimizer.state(network.params)),
});

/** What a GAN's step takes, as shapes and types. */
export function ganSpecs(
  pair: Pair,
  optimizer: Optimizer,
  { batchSize, latentSize }: { batchSize: number; latentSize: number },
) {
  return {
    state: {
      generator: traineeSpecs(pair.generator, optimizer),
      discriminator: traineeSpecs(pair.discriminator, optimizer),
    },
    batch: { images: spec([batchSize, ...pair.discriminator.inputShape], 'uint8') },
    noise: { latents: spec([batchSize, latentSize]) },
    hyper: { generatorRate: spec([]), discriminatorRate: spec([]) },
  };
}

/** The state a training starts from: networks as drawn from `random`, optimisers at zero. */
export function startingState(
  pair: Pair,
  optimizer: Optimizer,
  scheme: Initialization,
  random: RandomStream,
): State {
  const groups = ROLES.flatMap((role) => {
    const { params, buffers } = pair[role];
    return [
      [`${role}/params`, params],
      [`${role}/buffers`, buffers],
      [`${role}/optimizer`, optimizer.state(params)],
    ] as const;
  });
  const tensors = groups.flatMap(([prefix, specs]) =>
    Object.entries(initialize(specs, scheme, (count) => random.normal(count))).map(
      ([name, weights]) => [`${prefix}/${name}`, { dtype: 'float32', ...weights }] as const,
    ),
  );
  return Object.fromEntries(tensors);
}
