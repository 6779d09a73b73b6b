/** Transposed convolutions with constant filters have as much padding in front as behind. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { spec, trace } from '../src/index.js';
import { run } from './run.js';

const numbers = (n: number, seed: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin((i + 1) * seed));
const SHAPE = [2, 7, 7, 3] as const;
const images = { data: numbers(2 * 7 * 7 * 3, 12.9898), shape: SHAPE, dtype: 'float32' as const };

/** [filter, stride, padding, size of the result, padding by TF.js: before, behind] */
const CASES = [
  [3, 2, 'same', 14, 0, 1],
  [5, 2, 'same', 14, 1, 2],
  [4, 3, 'same', 21, 0, 1],
  [5, 4, 'same', 28, 0, 1],
  [4, 1, 'same', 7, 1, 2],
] as const;

describe('a transposed convolution with a constant filter', () => {
  it.each(CASES)(
    'of %i taps and stride %i is padded evenly, and exact',
    async (k, s, pad, size, before, behind) => {
      const filter = numbers(k * k * 2 * 3, 78.233);
      const apply = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
        tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [2, size, size, 2], s, pad);
      const even = trace(({ x }) => ({ y: apply(x, tf.tensor(filter, [k, k, 2, 3])) }), {
        x: spec(SHAPE),
      });
      const [node] = even.graph.order().filter(({ op }) => op === 'ConvTranspose');
      expect(node?.attrs.pads).toEqual([behind, behind, behind, behind]);
      expect(node?.attrs.kernel_shape).toEqual([k + behind - before, k + behind - before]);

      // The oracle computes whole numbers, which no order of summation rounds.
      const round = (values: Float32Array) => values.map((x) => Math.round(x * 8));
      const whole = trace(({ x }) => ({ y: apply(x, tf.tensor(round(filter), [k, k, 2, 3])) }), {
        x: spec(SHAPE),
      });
      const data = round(images.data);
      const [found] = await run(whole, [{ ...images, data }]);
      void tf.setBackend('cpu');
      const right = tf.tidy(() =>
        apply(tf.tensor(data, [...SHAPE]), tf.tensor(round(filter), [k, k, 2, 3])).dataSync(),
      );
      // Minus zero is zero.
      expect(Array.from(found?.data ?? [], (x) => x + 0)).toEqual(Array.from(right, (x) => x + 0));
    },
  );
});
