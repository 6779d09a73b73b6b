import type { TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { runEagerly } from '../src/engine/eager.js';
import type { State } from '../src/engine/types.js';
import { resolveRecipe } from '../src/recipe/load.js';
import type { Recipe } from '../src/recipe/schema.js';
import { mutualInformation } from '../src/steps/infogan.js';
import { distance, type SmallOptions, smallGan, stepOfZeros } from './small-gan.js';
import '@tensorflow/tfjs-backend-cpu';

const WEIGHT = 0.1;
const CODE_WEIGHT = 0.2;
/** Of infogan-mnist-thickness. */
const THICKNESS_WEIGHT = 3;
const DIVERSITY = 0.03;

/**
 * The losses of networks whose weights are all zero: the discriminator's heads say nothing (a
 * probability of one half, ten categories alike, codes of 0) and every image is grey, 0.5.
 */
function lossesOfNothing(name: string, options: SmallOptions = {}) {
  const model = { spectral_norm: false, ...options.model };
  const { metrics, feeds } = stepOfZeros(name, { ...options, model });
  const noise = (part: string) => [
    ...((feeds[`noise/${part}`] as TensorData).data as Float32Array),
  ];
  return { metrics, codes: noise('codes'), latents: noise('latents') };
}

const meanSquare = (values: readonly number[]) =>
  values.reduce((sum, x) => sum + x * x, 0) / values.length;

describe('the losses of InfoGAN, in closed form', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('are the adversarial ones and, by its weight, what is misread', () => {
    const { metrics, codes, latents } = lossesOfNothing('infogan-mnist');
    const misread = Math.log(10) + CODE_WEIGHT * meanSquare(codes);
    expect(metrics.information).toBeCloseTo(misread, 5);
    // Two images of one category, which are the same: how far their latents are apart, over 0.01.
    const [first, second] = [
      latents.slice(0, latents.length / 2),
      latents.slice(-latents.length / 2),
    ];
    const apart = first.reduce((sum, z, i) => sum + Math.abs(z - (second[i] as number)), 0);
    const alike = apart / first.length / 0.01;
    expect(metrics.generator).toBeCloseTo(Math.LN2 + WEIGHT * misread + DIVERSITY * alike, 5);
    expect(metrics.discriminator).toBeCloseTo(2 * Math.LN2 + WEIGHT * misread, 5);
  });

  it('are unchanged by consistency if all categories are equally likely', () => {
    expect(lossesOfNothing('infogan-mnist').metrics.bent).toBeCloseTo(Math.log(10), 4);
    expect(lossesOfNothing('infogan-mnist-supervised').metrics.bent).toBeUndefined();
  });

  it('take the likelihood of the codes if there is a head for their variance', () => {
    const { metrics, codes } = lossesOfNothing('infogan-mnist', {
      model: { code_variance: true },
    });
    const unlikely = 0.5 * (Math.log(2 * Math.PI) + meanSquare(codes));
    expect(metrics.information).toBeCloseTo(Math.log(10) + CODE_WEIGHT * unlikely, 5);
  });

  it('tie the first code to the brightness, and learn the categories of labelled images', () => {
    const { metrics, codes } = lossesOfNothing('infogan-mnist-thickness');
    const tied = codes.map((c, i) => (i % 2 === 0 ? (c + 1) * (0.5 + 0.52) - 1 : c));
    const misread = Math.log(10) + THICKNESS_WEIGHT * meanSquare(tied);
    expect(metrics.information).toBeCloseTo(misread, 5);
    const named = Math.log(10);
    expect(metrics.discriminator).toBeCloseTo(2 * Math.LN2 + WEIGHT * misread + named, 5);
  });
});

describe('consistent categories', () => {
  const information = (a: number[][], b: number[][]) =>
    mutualInformation(tf.tensor2d(a), tf.tensor2d(b)).dataSync()[0];

  it('tell the logarithm of their number where all are used, surely and alike', () => {
    const sure = [0, 1, 2].map((k) => [0, 1, 2].map((j) => Number(j === k)));
    expect(information(sure, sure)).toBeCloseTo(Math.log(3), 4);
    const one = sure.map(() => [1, 0, 0]);
    expect(information(one, one)).toBeCloseTo(0, 4);
    expect(information(sure, one)).toBeLessThan(0.5);
    const unsure = sure.map(() => [1 / 3, 1 / 3, 1 / 3]);
    expect(information(unsure, unsure)).toBeCloseTo(0, 4);
  });

  it('tell what the entropies of the joint table say', () => {
    // The joint table of these two, which is symmetrical as it is, row by row.
    const [a, b] = [
      [
        [1, 0],
        [0.2, 0.8],
      ],
      [
        [0.7, 0.3],
        [0.5, 0.5],
      ],
    ];
    const joint = [0.4, 0.2, 0.2, 0.2];
    const negentropy = (p: number[]) => p.reduce((sum, x) => sum + x * Math.log(x), 0);
    const expected = negentropy(joint) - 2 * negentropy([0.6, 0.4]);
    expect(information(a, b)).toBeCloseTo(expected, 4);
  });
});

describe('what one network of InfoGAN learns alone', () => {
  type Information = NonNullable<Recipe['training']['information']>;
  const { consistency: _, ...plain } = resolveRecipe('infogan-mnist').training
    .information as Information;

  /** The tensors that come out otherwise after a step with other settings. */
  function changed(...settings: [Partial<Information>, Partial<Information>]) {
    const [before, after] = settings.map((more) => {
      const information = { ...plain, ...more };
      const { phases, start } = smallGan('infogan-mnist', { training: { information } });
      const [phase] = phases as [(typeof phases)[number]];
      return runEagerly(phase.step, phase.inputs, { state: start, feeds: phase.feeds(0) }).state;
    }) as [State, State];
    return Object.keys(before).filter(
      (path) => distance(after[path] as TensorData, before[path] as TensorData) > 1e-3,
    );
  }

  it('is consistency by the discriminator', () => {
    const paths = changed({}, { consistency: 1 });
    expect(paths).toContain('discriminator/params/branches1/category/kernel');
    expect(paths.filter((path) => !path.startsWith('discriminator/'))).toEqual([]);
  });

  it('is diversity by the generator', () => {
    const paths = changed({ diversity: 1e-6 }, { diversity: 1 });
    expect(paths.filter((path) => path.startsWith('generator/params/'))).not.toEqual([]);
    expect(paths.filter((path) => !path.startsWith('generator/'))).toEqual([]);
  });
});

it('for the diversity of InfoGAN, each category and its codes make two images', () => {
  const { phases } = smallGan('infogan-mnist', { batchSize: 6 });
  const feeds = (phases[0] as (typeof phases)[number]).feeds(0);
  const halves = (part: string) => {
    const { data } = feeds[`noise/${part}`] as TensorData;
    return [data.slice(0, data.length / 2), data.slice(data.length / 2)];
  };
  for (const part of ['categories', 'codes']) {
    const [first, second] = halves(part);
    expect(second).toEqual(first);
  }
  const [first, second] = halves('latents');
  expect(second).not.toEqual(first);
  const odd = () => smallGan('infogan-mnist', { batchSize: 5 });
  expect(odd).toThrow(/batch-size must be even with information.diversity/);
});
