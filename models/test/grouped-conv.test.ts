import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // TF.js's gradients
import { beforeAll, describe, expect, it } from 'vitest';
import { groupedConv2d } from '../src/layers/grouped-conv.js';

beforeAll(() => tf.setBackend('cpu'));

const numbers = (shape: readonly number[], seed: number): tf.Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Array.from({ length: size }, (_, i) => (((i + seed) * 0.6180339887498949) % 1) - 0.5),
    [...shape],
  );
};

/**
 * A convolution made of products of matrices alone, whose gradients TF.js has to any order: for each tap
 * a matrix of zeros and ones picks what the windows see there.
 */
function plain(x: tf.Tensor, filter: tf.Tensor, { groups, stride, pad }: (typeof WINDOWS)[number]) {
  const [n = 0, size = 0, , channels = 0] = x.shape;
  const [k = 0, , , out = 0] = filter.shape;
  const places = Math.floor((size + 2 * pad - k) / stride) + 1;
  const pixels = tf.reshape(x, [n, size * size, channels]);
  const along = (tap: number) => (i: number, at: number) => i * stride + tap - pad === at;
  const ofGroup = (g: number) => {
    const seen = tf.slice(pixels, [0, 0, (g * channels) / groups], [n, -1, channels / groups]);
    const weights = tf.slice(filter, [0, 0, 0, (g * out) / groups], [-1, -1, -1, out / groups]);
    const products = Array.from({ length: k * k }, (_, tap) => {
      const [down, across] = [along(Math.floor(tap / k)), along(tap % k)];
      const picks = Array.from({ length: places ** 2 }, (_, place) =>
        Array.from({ length: size ** 2 }, (_, at) =>
          Number(
            down(Math.floor(place / places), Math.floor(at / size)) &&
              across(place % places, at % size),
          ),
        ),
      );
      const window = tf.matMul(tf.tile(tf.tensor([picks]), [n, 1, 1]), seen);
      const matrix = tf.slice(
        tf.reshape(weights, [k * k, channels / groups, out / groups]),
        tap,
        1,
      );
      return tf.matMul(window, tf.tile(matrix, [n, 1, 1]));
    });
    return tf.addN(products);
  };
  const all = Array.from({ length: groups }, (_, g) => ofGroup(g));
  return tf.reshape(tf.concat(all, 2), [n, places, places, out]);
}

const WINDOWS = [
  { groups: 2, stride: 1, pad: 1 },
  { groups: 3, stride: 2, pad: 1 },
  { groups: 6, stride: 1, pad: 0 },
];

describe.each(WINDOWS)('a convolution with %o', (at) => {
  const x = () => numbers([2, 5, 5, 6], 1);
  const filter = () => numbers([3, 3, 6 / at.groups, 12], 2);
  const whole = (image: tf.Tensor, w: tf.Tensor) => plain(image, w, at);
  const close = (a: tf.Tensor, b: tf.Tensor) => {
    expect(a.shape).toEqual(b.shape);
    const scale = tf.max(tf.abs(b)).dataSync()[0] as number;
    expect((tf.max(tf.abs(tf.sub(a, b))).dataSync()[0] as number) / scale).toBeLessThan(1e-5);
  };

  it('is a sum of products over its taps', () => {
    close(groupedConv2d(x(), filter(), at), whole(x(), filter()));
  });

  it('has its gradients', () => {
    const of = (f: typeof whole) =>
      tf.grads((image: tf.Tensor, w: tf.Tensor) => tf.sum(tf.square(f(image, w))))([x(), filter()]);
    const [ours, theirs] = [of((image, w) => groupedConv2d(image, w, at)), of(whole)];
    ours.forEach((gradient, i) => {
      close(gradient, theirs[i] as tf.Tensor);
    });
  });

  it('has the gradients of its gradients, for both of its inputs', () => {
    // Σ (∂/∂x Σ y³)² + Σ (∂/∂w Σ y³)²: of the third order in what is differentiated twice.
    const penalty = (f: typeof whole) => (image: tf.Tensor, w: tf.Tensor) => {
      const slopes = tf.grads((a: tf.Tensor, b: tf.Tensor) => {
        const y = f(a, b);
        return tf.sum(tf.mul(y, tf.square(y)));
      })([image, w]);
      return tf.addN(slopes.map((s) => tf.sum(tf.square(s))));
    };
    const of = (f: typeof whole) => tf.grads(penalty(f))([x(), filter()]);
    const [ours, theirs] = [of((image, w) => groupedConv2d(image, w, at)), of(whole)];
    ours.forEach((gradient, i) => {
      close(gradient, theirs[i] as tf.Tensor);
    });
  });
});
