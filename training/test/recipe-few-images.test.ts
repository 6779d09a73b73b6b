import { expect, test } from 'vitest';
import { checkRecipe } from '../src/recipe/check.js';
import { resolveRecipe } from '../src/recipe/load.js';

const cosine = { type: 'cosine', steps: 10, factor: 0.5 };

test.each([
  ['dcgan-mnist', { r1: 1 }, /^model\.batch_norm must be false with training\.r1, /],
  ['dcgan-mnist', { r2: 1 }, /^model\.batch_norm must be false with training\.r2, /],
  ['infogan-mnist', { r1: 1 }, /^training\.r1 must be left out with the method infogan/],
  [
    'gpn-mnist',
    { augmentation: ['color'] },
    /^training\.augmentation must be left out with the method predictive/,
  ],
  [
    'dcgan-mnist',
    { augmentation: ['color', 'color'] },
    /^training\.augmentation must be a list of different names/,
  ],
  [
    'wgan-gp-mnist',
    { schedule: { ...cosine, penalty_factor: 0.1 } },
    /^training\.schedule\.penalty_factor must be left out without training\.r1 and training\.r2/,
  ],
  [
    'gan-zeros',
    { schedule: { ...cosine, beta2: 0.9 } },
    /^training\.schedule\.beta2 must be left out with the optimizer sgd/,
  ],
  [
    'dcgan-mnist',
    { schedule: { ...cosine, patience: 1 } },
    /^training\.schedule\.patience must be left out with the schedule cosine/,
  ],
  [
    'dcgan-mnist',
    { average_ramp: 0.1 },
    /^training\.average_ramp must be left out without training\.generator_average/,
  ],
])('%s with %o is refused in a sentence', (name, training, sentence) => {
  const recipe = resolveRecipe(name);
  const changed = { ...recipe, training: { ...recipe.training, ...training } };
  expect(() => checkRecipe(changed)).toThrow(sentence);
});

test('flips are refused where fragments are learnt', () => {
  const recipe = resolveRecipe('gpn-mnist');
  expect(() => checkRecipe({ ...recipe, data: { ...recipe.data, flip: true } })).toThrow(
    /^data\.flip must be left out with the method predictive/,
  );
});
