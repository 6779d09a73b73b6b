/** Every bundled network with every method and option: a recipe is refused, or its step can be made. */
import { flatten, isSpec } from '@gpn/export';
import { NETWORKS } from '@gpn/models';
import { UserError } from '@gpn/runtime';
import { describe, expect, it } from 'vitest';
import { traceStep } from '../src/engine/traced.js';
import { checkRecipe } from '../src/recipe/check.js';
import { ganOf } from '../src/recipe/gan.js';
import { resolveRecipe } from '../src/recipe/load.js';
import type { Recipe } from '../src/recipe/schema.js';
import { noiseImages } from './small-gan.js';

type Variant = (recipe: Recipe) => object;

const VARIANTS: Record<string, Variant> = {
  'as it is': () => ({}),
  'with classes': ({ model }) => ({ model: { ...model, classes: 10 } }),
  'in colour': ({ data }) => ({ data: { ...data, channels: 3 } }),
  'of 32 pixels': ({ data }) => ({ data: { ...data, height: 32, width: 32 } }),
  'with a width': ({ model }) => ({ model: { ...model, width: 16 } }),
};

/** Networks that the recipe's method takes; the others are refused, whatever else the recipe says. */
const TAKEN: Record<string, string[]> = {
  'gan-zeros': [
    ...['cdcgan-mnist-large', 'dcgan', 'dcgan-mnist', 'mlp-digit', 'mlp-mnist', 'resnet'],
  ],
  'infogan-mnist': ['infogan-mnist'],
  'began-mnist': ['began-mnist'],
  'gpn-mnist': ['gpn', 'gpn-deep', 'gpn-detail', 'gpn-mnist', 'gpn-mnist-large'],
};

/** Which of the variants it takes, besides as it is. */
const ALSO: Record<string, string[]> = {
  'cdcgan-mnist-large': ['with classes'],
  dcgan: ['with classes', 'in colour', 'of 32 pixels', 'with a width'],
  'dcgan-mnist': ['with classes'],
  'mlp-mnist': ['with classes'],
  resnet: ['with classes', 'in colour', 'of 32 pixels', 'with a width'],
  gpn: ['in colour', 'of 32 pixels'],
  'gpn-deep': ['in colour', 'of 32 pixels', 'with a width'],
  'gpn-detail': ['in colour', 'of 32 pixels'],
  'gpn-mnist': ['in colour', 'of 32 pixels'],
};

/** A batch of two that InfoGAN's pairs and GPN's kinds fit in, without normalisation for resnet. */
function recipeOf(name: string, network: string, variant: Variant): Recipe {
  const base = resolveRecipe(name, { steps: 2, batchSize: 8 });
  const changed = { ...base, ...variant(base) };
  const plain = network === 'resnet' ? { batch_norm: false, spectral_norm: false } : {};
  return checkRecipe({ ...changed, model: { ...changed.model, ...plain, network } });
}

describe.each(Object.keys(TAKEN))('a recipe such as %s', (name) => {
  const others = Object.keys(NETWORKS).flatMap((network) =>
    Object.entries(VARIANTS).map(([said, variant]) => ({ network, said, variant })),
  );

  it.each(others)('with the network $network $said', ({ network, said, variant }) => {
    const taken =
      TAKEN[name]?.includes(network) && ['as it is', ...(ALSO[network] ?? [])].includes(said);
    if (!taken) {
      expect(() => recipeOf(name, network, variant)).toThrow(UserError);
      return;
    }
    const recipe = recipeOf(name, network, variant);
    for (const phase of ganOf(recipe, 1 / 8).phases.slice(0, 2)) {
      // What the step asks for is what it is fed.
      const { state: _, rates: __, ...groups } = phase.inputs;
      const asked = flatten(groups, isSpec, 'input').map(({ name: path, leaf }) => [
        path,
        leaf.shape,
      ]);
      const fed = Object.entries(phase.data(noiseImages(recipe.data, 16)).feeds(0));
      expect(fed.map(([path, { shape }]) => [path, [...shape]]).sort()).toEqual(asked.sort());
      traceStep(phase.step, phase.inputs);
    }
  });
});
