import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { inOrientations, type Network } from '../src/index.js';

/** The weights of a pixel, of those to its right and below it, and of the one between these. */
const WINDOW = [1, -3, -2, 5] as const;

/** A network that sums windows of 2 × 2 pixels with weights. */
const network: Network = {
  ...{ inputShape: [2, 2, 1], outputShape: [1, 1, 1], buffers: {} },
  ...{ conditions: {}, noise: {}, flops: [] },
  params: { kernel: { shape: [2, 2, 1, 1], start: { kind: 'zeros' } } },
  apply: ({ kernel }, buffers, x) => ({
    y: tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'valid'),
    buffers,
  }),
};

describe('a network in several orientations', () => {
  // By hand: the means of the weights that a pixel of the window has in each orientation.
  it.each([
    [2, [1, -2.5, -2.5, 5]],
    [4, [-1, 0.25, 0.25, 1.5]],
    [8, [0.25, 0.25, 0.25, 0.25]],
  ])('is the mean over %i of them, each turned back', async (count, weights) => {
    await tf.setBackend('cpu');
    const [height, width] = [4, 6];
    const values = Array.from({ length: height * width }, (_, k) => (k * 7) % 11);
    const x = tf.tensor4d(values, [1, height, width, 1]);
    const kernel = tf.tensor4d([...WINDOW], [2, 2, 1, 1]);
    const { y, buffers } = inOrientations(network, count).apply({ kernel }, {}, x, {
      training: false,
    });
    expect(y.shape).toEqual([1, height - 1, width - 1, 1]);
    expect(buffers).toEqual({});
    const found = y.dataSync();
    for (let k = 0; k < found.length; k++) {
      const at = Math.floor(k / (width - 1)) * width + (k % (width - 1));
      const own = [0, 1, width, width + 1].map((step) => values[at + step] as number);
      const sum = own.reduce((all, value, i) => all + value * (weights[i] as number), 0);
      expect(found[k]).toBeCloseTo(sum, 4);
    }
  });
});
