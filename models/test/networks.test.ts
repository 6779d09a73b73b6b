import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // TF.js's gradients
import { describe, expect, it } from 'vitest';
import { countParameters, NETWORKS, type NetworkOptions, type Pair } from '../src/index.js';
import { normalizeSpectrally, powerIteration } from '../src/spectral-norm.js';

const dcgan = (options: Partial<NetworkOptions> = {}): Pair =>
  (NETWORKS['dcgan-mnist'] as (o: NetworkOptions) => Pair)({
    latentSize: 16,
    batchNorm: true,
    spectralNorm: true,
    ...options,
  });

describe('dcgan-mnist', () => {
  it('has the number of trainable parameters in its table', () => {
    expect(countParameters(dcgan().generator)).toBe(172_608);
    expect(countParameters(dcgan().discriminator)).toBe(142_208);
    expect(countParameters(dcgan({ spectralNorm: false }).discriminator)).toBe(142_208);
    expect(countParameters(dcgan({ batchNorm: false }).discriminator)).toBe(141_824);
  });

  it('declares the number of operations in its table', () => {
    // deconv 4 1 0 from 1×1: 2·16·16·128; 4 2 1 from 4×4; 2 2 1 from 8×8; 2 2 0 from 14×14.
    expect(dcgan().generator.flops).toEqual([65_536, 4_194_304, 1_048_576, 50_176]);
    // conv 4 2 1 to 14×14: 2·16·32·196; 2 2 1 to 8×8; 4 2 1 to 4×4; 4 1 0 to 1×1.
    expect(dcgan().discriminator.flops).toEqual([200_704, 1_048_576, 4_194_304, 4_096]);
  });

  it('turns latents into 28×28 images, and those into one score', () => {
    expect(dcgan().generator.outputShape).toEqual([28, 28, 1]);
    expect(dcgan().discriminator.outputShape).toEqual([1]);
  });
});

describe('spectral normalisation', () => {
  it('divides a kernel by its largest singular value, once power iteration has settled', async () => {
    await tf.setBackend('cpu');
    // diag(3, 1, 2) has the singular values 3, 2, 1.
    const kernel = tf.tensor([3, 0, 0, 0, 1, 0, 0, 0, 2], [1, 1, 3, 3]);
    let vectors = { u: tf.tensor([0.6, 0.6, 0.53], [3, 1]), v: tf.zeros([3, 1]) };
    for (let i = 0; i < 50; i++) vectors = powerIteration(kernel, vectors) as typeof vectors;
    const normalized = normalizeSpectrally(kernel, vectors).dataSync();
    [1, 0, 0, 0, 1 / 3, 0, 0, 0, 2 / 3].forEach((x, i) => {
      expect(normalized[i]).toBeCloseTo(x, 5);
    });
  });

  it('has the gradient of K / σ(K), by finite differences', async () => {
    await tf.setBackend('cpu');
    const values = [0.7, -0.2, 0.4, 0.1, 0.9, -0.5];
    const weights = tf.tensor([1, -2, 0.5, 3, 0.25, -1], [1, 1, 2, 3]);
    const vectors = { u: tf.tensor([0.5, 0.7, 0.5], [3, 1]), v: tf.tensor([0.8, 0.6], [2, 1]) };
    const loss = (k: tf.Tensor) => tf.sum(tf.mul(normalizeSpectrally(k, vectors), weights));
    const kernel = (xs: number[]) => tf.tensor(xs, [1, 1, 2, 3]);
    const at = (i: number, by: number) =>
      loss(kernel(values.map((x, j) => (j === i ? x + by : x)))).dataSync()[0] as number;
    const gradient = tf.grad(loss)(kernel(values)).dataSync();
    values.forEach((_, i) => {
      expect(gradient[i]).toBeCloseTo((at(i, 1e-2) - at(i, -1e-2)) / 2e-2, 2);
    });
  });
});
