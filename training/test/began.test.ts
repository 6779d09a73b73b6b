import type { TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { runEagerly } from '../src/eager.js';
import { likeness } from '../src/steps/likeness.js';
import { smallGan } from './small-gan.js';
import '@tensorflow/tfjs-backend-cpu';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('the losses of BEGAN, in closed form', () => {
  // With weights of zero both decoders give grey, 0.5, so generated images come back as they are, but for what the
  // autoencoder has learnt in this step.
  it('are energies, and the balance moves by λ of how far they are from γ', () => {
    const equilibrium = { lambda: 0.05, gamma: 0.75, diversity: 0.003 };
    const { phases, start } = smallGan('began-mnist', { training: { equilibrium } });
    const [phase] = phases as [(typeof phases)[number]];
    const zeros = Object.entries(start).map(([key, { dtype, shape, data }]) => [
      key,
      { dtype, shape, data: new Float32Array(data.length) } as TensorData,
    ]);
    const feeds = phase.feeds(0);
    const { metrics } = runEagerly(phase.step, phase.inputs, {
      state: Object.fromEntries(zeros),
      feeds,
    });
    const pixels = [...((feeds['batch/images'] as TensorData).data as Uint8Array)];
    const real = pixels.reduce((sum, p) => sum + Math.abs(p / 255 - 0.5), 0) / pixels.length;
    expect(metrics.discriminator).toBeCloseTo(real, 5);
    expect(metrics.generator).toBeCloseTo(0, 4);
    expect(metrics.balance).toBeCloseTo(0.05 * 0.75 * real, 5);
    expect(metrics.convergence).toBeCloseTo(real + 0.75 * real, 4);
  });
});

describe('the likeness of images', () => {
  it('is how far latents are apart over how far images are, each and the next, in the mean', () => {
    const latents = tf.tensor2d([
      [0, 0],
      [1, 3],
      [0, 2],
    ]);
    const images = tf.tensor4d([0, 0, 0.5, 0.1, 0.5, 0.1], [3, 1, 2, 1]);
    // Apart, pixel by pixel: latents 2, 1, 1; images 0.3, 0, 0.3.
    const expected = (2 / 0.31 + 1 / 0.01 + 1 / 0.31) / 3;
    expect(likeness(images, latents).dataSync()[0]).toBeCloseTo(expected, 3);
  });
});
