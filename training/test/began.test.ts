import type { TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { runEagerly } from '../src/engine/eager.js';
import { resolveRecipe } from '../src/recipe/load.js';
import { likeness } from '../src/steps/likeness.js';
import { distance, smallGan, stepOfZeros } from './small-gan.js';
import '@tensorflow/tfjs-backend-cpu';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('the losses of BEGAN, in closed form', () => {
  // With weights of zero both decoders give grey, 0.5. Adam's first step then moves the
  // autoencoder's last bias by the learning rate, and through the sigmoid its grey by a quarter of it.
  it('are energies, and the balance moves by λ times their distance from γ', () => {
    const equilibrium = { lambda: 0.05, gamma: 0.75, diversity: 0.003 };
    const { metrics, feeds } = stepOfZeros('began-mnist', { training: { equilibrium } });
    const pixels = [...((feeds['batch/images'] as TensorData).data as Uint8Array)];
    const real = pixels.reduce((sum, p) => sum + Math.abs(p / 255 - 0.5), 0) / pixels.length;
    const generated = resolveRecipe('began-mnist').training.optimizer.discriminator_lr / 4;
    const off = 0.75 * real - generated;
    expect(metrics.discriminator).toBeCloseTo(real, 6);
    expect(metrics.generator).toBeCloseTo(generated, 6);
    expect(metrics.balance).toBeCloseTo(0.05 * off, 6);
    expect(metrics.convergence).toBeCloseTo(real + off, 6);
  });
});

it('the diversity of BEGAN is learnt by the generator alone', () => {
  const after = (diversity?: number) => {
    const equilibrium = { lambda: 0.05, gamma: 0.75, ...(diversity && { diversity }) };
    const { phases, start } = smallGan('began-mnist', { training: { equilibrium } });
    const [phase] = phases as [(typeof phases)[number]];
    return runEagerly(phase.step, phase.inputs, { state: start, feeds: phase.feeds(0) }).state;
  };
  const [without, withIt] = [after(), after(1)];
  const changed = Object.keys(without).filter(
    (path) => distance(withIt[path] as TensorData, without[path] as TensorData) > 1e-3,
  );
  expect(changed.filter((path) => path.startsWith('generator/params/'))).not.toEqual([]);
  expect(changed.filter((path) => !path.startsWith('generator/'))).toEqual([]);
});

describe('the likeness of images', () => {
  it('is the average ratio of the distance of two latents to that of their images', () => {
    const latents = tf.tensor2d([
      [0, 0],
      [1, 3],
      [0, 2],
    ]);
    const images = tf.tensor4d([0, 0, 0.5, 0.1, 0.5, 0.1], [3, 1, 2, 1]);
    // Apart, pixel by pixel: latents 2, 1, 1; images 0.3, 0, 0.3.
    const expected = (2 / 0.31 + 1 / 0.01 + 1 / 0.31) / 3;
    expect(likeness(images, latents).dataSync()[0]).toBeCloseTo(expected, 3);
    // And the one two rows further on: latents 1, 2, 1; images 0, 0.3, 0.3.
    const further = (1 / 0.01 + 2 / 0.31 + 1 / 0.31) / 3;
    expect(likeness(images, latents, 2).dataSync()[0]).toBeCloseTo(further, 3);
  });
});
