import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { spec, trace } from '../src/index.js';

describe('a convolution whose filter is trained', () => {
  it('has one product for the gradient of an image of few channels, added up by Col2Im', () => {
    const loss = (x: tf.Tensor, w: tf.Tensor) =>
      tf.sum(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 1));
    const model = trace(({ x, w }) => tf.grad((v) => loss(v, w))(x), {
      x: spec([5, 6, 6, 1]),
      w: spec([4, 4, 1, 9]),
    });
    const heavy = ['Conv', 'ConvTranspose', 'Gather', 'Gemm', 'MatMul', 'Col2Im'];
    const found = model.graph.order().map((node) => node.op);
    expect(found.filter((op) => heavy.includes(op))).toEqual(['MatMul', 'Col2Im']);
  });
});
