import { NETWORKS, type NetworkOptions, type Pair } from '@gpn/models';
import { dense, flatten, reshape, sequential } from '@gpn/models/layers';
import { expect, it } from 'vitest';
import { checkRecipe } from '../src/recipe/check.js';
import { resolveRecipe } from '../src/recipe/load.js';
import { defineNetworks } from '../src/recipe/own/networks.js';
import type { Recipe } from '../src/recipe/schema.js';

const gpn = resolveRecipe('gpn-mnist');
const gan = resolveRecipe('dcgan-mnist');

const changed = (recipe: Recipe, more: object, predictive: object = {}): object => ({
  ...recipe,
  ...more,
  training: {
    ...recipe.training,
    predictive: { ...recipe.training.predictive, ...predictive },
  },
});

const size = { internal: 2, frame: 1 };
const detector = { detector: true };
const patches = {
  ...detector,
  rounds: 1,
  region: { smallest: 3, largest: 8, smooth: 0 },
  patches: { internal: 20, regions: 2 },
};

it.each([
  [
    changed(gpn, { model: { ...gpn.model, network: 'dcgan-mnist' } }),
    'model.network must be one whose discriminator takes 4 × 4 × 1, as the method predictive shows it fragments, found dcgan-mnist.',
  ],
  [
    { ...gan, model: { ...gan.model, network: 'gpn-mnist' } },
    'model.network must be one whose discriminator takes 28 × 28 × 1, as the method adversarial shows it whole images, found gpn-mnist.',
  ],
  [
    changed(gpn, { model: { ...gpn.model, fragment: undefined } }),
    'model.fragment is missing; it must be given with the method predictive.',
  ],
  [
    { ...gan, model: { ...gan.model, fragment: { internal: 2, frame: 1 } } },
    'model.fragment must be left out with the method adversarial.',
  ],
  [
    changed(gpn, { model: { ...gpn.model, fragment: { internal: 30, frame: 1 } } }),
    'model.fragment.internal must be at most 28, the side of the images, found 30.',
  ],
  [
    changed(gpn, { model: { ...gpn.model, fragment: { internal: 2, frame: 1, stride: 2 } } }),
    'model.fragment.stride must be 1 (network gpn-mnist), found 2.',
  ],
  [
    changed(gpn, {
      model: { ...gpn.model, network: 'gpn-detail', fragment: { internal: 2, frame: 0 } },
    }),
    'model.fragment.frame must be at least 1 with the network gpn-detail, which compares pixels with those around them, found 0.',
  ],
  [
    changed(gpn, { model: { ...gpn.model, fragment: { ...size, scales: [1, 2] } } }),
    'model.fragment.scales must be left out unless training.predictive.detector is true, because a generator is judged at one scale.',
  ],
  [
    changed(gpn, { model: { ...gpn.model, fragment: { ...size, scales: [1, 15] } } }, detector),
    'model.fragment.internal must be at most 1, the side of the images reduced by 15, found 2.',
  ],
  [
    changed(gpn, { model: { ...gpn.model, fragment: { ...size, scales: [2, 1] } } }, detector),
    'model.fragment.scales must be a list that begins with 1 and rises',
  ],
  [
    changed(gpn, { model: { ...gpn.model, fragment: { ...size, scales: [1, 1.5] } } }, detector),
    'model.fragment.scales[1] must be a whole number, found 1.5.',
  ],
  ...[{ detector: false }, { detector: true, stride: 2 }].map(
    ({ stride, ...more }) =>
      [
        changed(
          gpn,
          {
            model: {
              ...gpn.model,
              network: 'gpn',
              fragment: { internal: 6, frame: 3, orientations: 4, stride },
            },
          },
          more,
        ),
        'model.fragment.orientations must be left out unless training.predictive.detector is true and model.fragment.stride is 1',
      ] as [object, string],
  ),
  ...(
    [
      [{ region: undefined }, 'left out without region, which says what is altered.'],
      [{ rounds: 2 }, 'left out unless detector is true and rounds is 1, because a generator'],
      [{ detector: false }, 'left out unless detector is true and rounds is 1'],
      [{ r1: 1 }, 'left out with r1, which is of single fragments.'],
    ] as const
  ).map(
    ([more, must]) =>
      [
        changed(gpn, {}, { ...patches, ...more }),
        `training.predictive.patches must be ${must}`,
      ] as [object, string],
  ),
  [
    changed(gpn, { model: { ...gpn.model, fragment: { ...size, scales: [1, 2] } } }, patches),
    'training.predictive.patches must be left out with model.fragment.scales.',
  ],
  ...[1, 29].map(
    (internal) =>
      [
        changed(gpn, {}, { ...patches, patches: { internal, regions: 1 } }),
        `training.predictive.patches.internal must be from 2, the internal part of a fragment, to 28, the side of the images, found ${internal}.`,
      ] as [object, string],
  ),
  [
    changed(gpn, {}, { ...patches, patches: { internal: 20, regions: 0 } }),
    'training.predictive.patches.regions must be at least 1, found 0.',
  ],
  [
    changed(gpn, { data: { ...gpn.data, height: 30 } }),
    'data.height must be 28 for the network gpn-mnist, found 30.',
  ],
])('says what a recipe of fragments lacks (%#)', (recipe, sentence) => {
  expect(() => checkRecipe(recipe)).toThrow(sentence);
});

it.each([
  [{ negatives: { generated: 1 } }, 'training.predictive.negatives'],
  [{ negatives: { noise: 0 } }, 'training.predictive.negatives.noise'],
  [{ negatives: { smudge: 1 } }, 'training.predictive.negatives'],
  [{ generator_loss: 'hinge' }, 'training.predictive.generator_loss'],
  [{ rounds: 0 }, 'training.predictive.rounds'],
])('names the key of %o', (predictive, key) => {
  expect(() => checkRecipe(changed(gpn, {}, predictive))).toThrow(key);
});

it('a recipe of GPN takes images of other sizes, in colour', () => {
  const data = { ...gpn.data, height: 32, width: 48, channels: 3 };
  expect(checkRecipe(changed(gpn, { data })).data).toEqual(data);
});

it('patches are for networks that can be moved over an image', () => {
  const recipe = (network: string) => changed(gpn, { model: { ...gpn.model, network } }, patches);
  for (const network of ['gpn-mnist', 'gpn-deep']) {
    expect(checkRecipe(recipe(network)).training.predictive?.patches).toEqual(patches.patches);
  }
  defineNetworks('one-fragment', {
    generator: (options: NetworkOptions) =>
      (NETWORKS['gpn-mnist'] as (of: NetworkOptions) => Pair)(options).generator,
    discriminator: () => sequential([4, 4, 1], [flatten(), dense(2), reshape(() => [1, 1, 2])]),
  });
  expect(() => checkRecipe(recipe('one-fragment'))).toThrow(
    'training.predictive.patches must be left out with the network one-fragment, which judges one fragment at a time.',
  );
});
