import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { uniform, type Values } from './cases/case.js';
import { eager, expectClose, run, traced } from './run.js';

/**
 * Gradients of gradients, as a gradient penalty has them. TF.js's own second derivatives are
 * silently wrong for some operations, so the oracle is finite differences of the penalty. Each
 * penalty is a square of something linear in w, for which central differences are exact but for
 * rounding.
 */
type Network = (x: tf.Tensor, w: tf.Tensor) => tf.Tensor;

/** Σ (∂/∂x Σ network(x, w))². */
const penalty =
  (network: Network) =>
  (x: tf.Tensor, w: tf.Tensor): tf.Scalar =>
    tf.sum(tf.square(tf.grad((v) => tf.sum(network(v, w)))(x)));

const TOLERANCE = 2e-3;
const STEP = 0.1;

const NETWORKS: Readonly<Record<string, [Network, Values, Values]>> = {
  relu: [(x, w) => tf.mul(tf.relu(x), w), uniform([3, 4]), uniform([4])],
  'relu of a product': [
    (x, w) => tf.relu(tf.matMul(tf.mul(x, 0.5) as tf.Tensor2D, tf.mul(w, 2) as tf.Tensor2D)),
    uniform([3, 4]),
    // Far from where relu bends, on both sides.
    uniform([4, 2], 3, 5),
  ],
  matMul: [
    (x, w) => tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D),
    uniform([3, 4]),
    uniform([4, 2]),
  ],
  conv2d: [
    (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 'same'),
    uniform([2, 6, 6, 2]),
    uniform([4, 4, 2, 3]),
  ],
  conv2dTranspose: [
    (x, w) => tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [2, 6, 6, 2], 2, 'same'),
    uniform([2, 3, 3, 3]),
    uniform([2, 2, 2, 3]),
  ],
};

/** ∂/∂w by central differences, one element at a time. */
function differences(f: (x: tf.Tensor, w: tf.Tensor) => tf.Tensor, x: Values, w: Values) {
  const moved = (i: number, by: number): number => {
    const data = Float32Array.from(w.data);
    data[i] = (data[i] as number) + by;
    return eager(f as never, [x, { ...w, data }])[0]?.data[0] as number;
  };
  const data = Array.from(w.data, (_, i) => (moved(i, STEP) - moved(i, -STEP)) / (2 * STEP));
  return { dims: w.shape, data };
}

describe('gradients of gradients', () => {
  it.each(Object.entries(NETWORKS))(
    'of %s agree with finite differences',
    async (_, [network, x, w]) => {
      const f = penalty(network);
      const gradient = (a: tf.Tensor, b: tf.Tensor) => tf.grad((v) => f(a, v))(b);
      const [result] = await run(traced(gradient as never, [x, w]), [x, w]);
      expectClose(result as never, differences(f, x, w), TOLERANCE);
    },
  );
});
