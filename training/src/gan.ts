import { NETWORKS, type Pair } from '@gpn/models';
import { LOSSES, type LossPair } from './losses.js';
import { adam, type Optimizer } from './optimizers.js';
import type { Recipe } from './recipe.js';
import { ganSpecs } from './state.js';
import { adversarialStep } from './steps/adversarial.js';

/** What a recipe's names stand for: its networks, and the step that trains them. */
export function ganOf(recipe: Recipe) {
  const { model, training, data } = recipe;
  const pair = networksOf(recipe);
  const { beta1, beta2 } = training.optimizer;
  const optimizer: Optimizer = adam({ beta1, beta2 });
  const step = adversarialStep({
    ...pair,
    loss: LOSSES[training.loss] as LossPair,
    optimizer,
    labelSmoothing: training.label_smoothing,
    range: data.range as [number, number],
  });
  const sizes = { batchSize: training.batch_size, latentSize: model.latent.size };
  return { pair, optimizer, step, specs: ganSpecs(pair, optimizer, sizes) };
}

export function networksOf({ model }: Recipe): Pair {
  const make = NETWORKS[model.network];
  if (!make) throw new Error(`there is no network ${model.network}`);
  return make({
    latentSize: model.latent.size,
    batchNorm: model.batch_norm,
    spectralNorm: model.spectral_norm,
  });
}

/**
 * Floating-point operations of one training step, counted from the networks' tables: the
 * discriminator forward on real, on generated, and on generated images again; backward for its
 * weights on the first two, and for its inputs wherever a layer before needs them; the generator
 * forward once and backward. Backward for weights, and for inputs, costs as much as forward.
 */
export function stepFlops({ generator, discriminator }: Pair, batchSize: number): number {
  const sum = (flops: readonly number[]) => flops.reduce((a, b) => a + b, 0);
  const [g, d] = [sum(generator.flops), sum(discriminator.flops)];
  const [gFirst = 0, dFirst = 0] = [generator.flops[0], discriminator.flops[0]];
  const discriminatorStep = 2 * d + 2 * d + 2 * (d - dFirst);
  const generatorStep = g + d + d + g + (g - gFirst);
  return batchSize * (discriminatorStep + generatorStep);
}
