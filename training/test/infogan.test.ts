import type { TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { runEagerly } from '../src/eager.js';
import { resolveRecipe } from '../src/recipes.js';
import { mutualInformation } from '../src/steps/infogan.js';
import { distance, type SmallOptions, smallGan, stepOfZeros } from './small-gan.js';
import '@tensorflow/tfjs-backend-cpu';

const WEIGHT = 0.1;
const CODE_WEIGHT = 0.2;
/** Of infogan-mnist-thickness. */
const THICKNESS_WEIGHT = 1;

/**
 * The losses of networks whose weights are all zero: the discriminator's heads say nothing (a
 * probability of one half, ten categories alike, codes of 0) and every image is grey, 0.5.
 */
function lossesOfNothing(name: string, options: SmallOptions = {}) {
  const model = { spectral_norm: false, ...options.model };
  const { metrics, feeds } = stepOfZeros(name, { ...options, model });
  return { metrics, codes: [...((feeds['noise/codes'] as TensorData).data as Float32Array)] };
}

const meanSquare = (values: readonly number[]) =>
  values.reduce((sum, x) => sum + x * x, 0) / values.length;

describe('the losses of InfoGAN, in closed form', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('are the adversarial ones and, by its weight, what is misread', () => {
    const { metrics, codes } = lossesOfNothing('infogan-mnist');
    const misread = Math.log(10) + CODE_WEIGHT * meanSquare(codes);
    expect(metrics.information).toBeCloseTo(misread, 5);
    expect(metrics.generator).toBeCloseTo(Math.LN2 + WEIGHT * misread, 5);
    expect(metrics.discriminator).toBeCloseTo(2 * Math.LN2 + WEIGHT * misread, 5);
  });

  it('take nothing for consistency where every category is as likely', () => {
    expect(lossesOfNothing('infogan-mnist').metrics.bent).toBeCloseTo(Math.log(10), 4);
    expect(lossesOfNothing('infogan-mnist-supervised').metrics.bent).toBeUndefined();
  });

  it('take the likelihood of the codes where there is a head for their variance', () => {
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

  it('are learnt by the discriminator alone', () => {
    const after = (consistency?: number) => {
      const { information } = resolveRecipe('infogan-mnist').training;
      const { consistency: _, ...without } = information as NonNullable<typeof information>;
      const { phases, start } = smallGan('infogan-mnist', {
        training: { information: { ...without, ...(consistency && { consistency }) } },
      });
      const [phase] = phases as [(typeof phases)[number]];
      return runEagerly(phase.step, phase.inputs, { state: start, feeds: phase.feeds(0) }).state;
    };
    const [without, withIt] = [after(), after(1)];
    const changed = Object.keys(without).filter(
      (path) => distance(withIt[path] as TensorData, without[path] as TensorData) > 1e-3,
    );
    expect(changed).toContain('discriminator/params/branches1/category/kernel');
    expect(changed.filter((path) => !path.startsWith('discriminator/'))).toEqual([]);
  });
});
