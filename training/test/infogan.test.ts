import type { TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type SmallOptions, stepOfZeros } from './small-gan.js';
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
