import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // brings TF.js's gradients
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { rectify } from '../src/rectify.js';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

const X = [-3, -0.5, -1e-30, 0, 1e-30, 0.25, 2];

describe.each([0, 0.2])('rectify with slope %f', (slope) => {
  it('computes max(x, slope · x)', async () => {
    const y = await rectify(tf.tensor1d(X), slope).data();
    expect(Array.from(y)).toEqual(
      X.map((x) => Math.fround(x > 0 ? x : Math.fround(slope) * x) + 0),
    );
  });

  it('passes the gradient on above zero, and slope times the gradient at and below zero', async () => {
    const dx = await tf
      .grad((x) => tf.sum(tf.mul(rectify(x, slope), 3)))(tf.tensor1d(X))
      .data();
    dx.forEach((d, i) => {
      expect(d).toBeCloseTo((X[i] as number) > 0 ? 3 : 3 * slope, 6);
    });
  });

  // The oracle is finite differences: TF.js's own second derivatives throw or are wrong.
  it('has a second derivative', async () => {
    const x = tf.tensor2d([0.5, -1, 2, 1.5, 0.75, -0.25], [2, 3]);
    const v = tf.tensor1d([1, -2, 0.5]);
    const w0 = [0.3, -0.7, 0.2, 1.1, -0.4, 0.9, -0.6, 0.8, 0.1];
    // The squared length of the gradient for x of a small network, as in a gradient penalty.
    const penalty = (w: tf.Tensor) => {
      const f = (x: tf.Tensor) =>
        tf.sum(tf.square(tf.mul(rectify(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), slope), v)));
      return tf.sum(tf.square(tf.grad(f)(x))) as tf.Scalar;
    };
    const at = (w: number[]) => penalty(tf.tensor2d(w, [3, 3])).dataSync()[0] as number;
    const found = await tf
      .grad(penalty as (w: tf.Tensor) => tf.Tensor)(tf.tensor2d(w0, [3, 3]))
      .data();
    const step = 1e-3;
    w0.forEach((_, i) => {
      const moved = (by: number) => at(w0.map((w, k) => (k === i ? w + by : w)));
      const slopeThere = (moved(step) - moved(-step)) / (2 * step);
      expect(found[i], `weight ${i}`).toBeCloseTo(slopeThere, 1);
      expect(Math.abs((found[i] as number) - slopeThere)).toBeLessThan(
        2e-3 * Math.max(1, Math.abs(slopeThere)),
      );
    });
  });
});
