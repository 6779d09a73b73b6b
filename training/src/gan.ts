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
