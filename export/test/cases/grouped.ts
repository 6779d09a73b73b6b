import * as tf from '@tensorflow/tfjs-core';
import { type Case, type Cases, constant, kernel, uniform, type Values } from './case.js';

/** TF.js has no convolution in groups: the oracle is one convolution for each group. */
const GROUPS = 3;
type Images = tf.Tensor4D;
type Shape = [number, number, number, number];

interface Sizes {
  readonly strides: number;
  readonly pad: number;
}

const part = (x: tf.Tensor, k: number): Images =>
  tf.split(x, GROUPS, x.rank - 1)[k] as unknown as Images;
const each = (f: (k: number) => tf.Tensor): tf.Tensor =>
  tf.concat([f(0), f(1), f(2)] as Images[], 3);
const divided = ([n, h, w, c]: Shape): Shape => [n, h, w, c / GROUPS];
const attrs = (sizes: Sizes) => ({ ...sizes, groups: GROUPS, dataFormat: 'NHWC' });

const images = uniform([2, 5, 6, 6]);
const filter = uniform([3, 3, 2, 12], -0.5, 0.5);
const inputShape = images.shape as Shape;
const filterShape = filter.shape as Shape;

const forward = ({ strides, pad }: Sizes, held?: Values): Case => ({
  fn: (x: tf.Tensor, w = constant(held as Values)) =>
    kernel('GroupedConv2D', { x, filter: w }, attrs({ strides, pad })),
  inputs: held ? [images] : [images, filter],
  oracle: (x: tf.Tensor, w = constant(held as Values)) =>
    each((k) => tf.conv2d(part(x, k), part(w, k), strides, pad)),
});

const backward = (shape: Shape, { strides, pad }: Sizes): Cases => {
  const dy = uniform(shape);
  return {
    [`GroupedConv2DBackpropInput at stride ${strides}`]: {
      fn: (slope: tf.Tensor, w: tf.Tensor) =>
        kernel(
          'GroupedConv2DBackpropInput',
          { dy: slope, filter: w },
          { ...attrs({ strides, pad }), inputShape },
        ),
      inputs: [dy, filter],
      oracle: (slope: tf.Tensor, w: tf.Tensor) =>
        each((k) =>
          tf.conv2dTranspose(part(slope, k), part(w, k), divided(inputShape), strides, pad),
        ),
    },
    [`GroupedConv2DBackpropFilter at stride ${strides}`]: {
      fn: (x: tf.Tensor, slope: tf.Tensor) =>
        kernel(
          'GroupedConv2DBackpropFilter',
          { x, dy: slope },
          { ...attrs({ strides, pad }), filterShape },
        ),
      inputs: [images, dy],
      oracle: (x: tf.Tensor, slope: tf.Tensor) =>
        each((k) =>
          kernel(
            tf.Conv2DBackpropFilter,
            { x: part(x, k), dy: part(slope, k) },
            { strides, pad, dataFormat: 'NHWC', filterShape: divided(filterShape) },
          ),
        ),
    },
  };
};

export const GROUPED: Cases = {
  GroupedConv2D: forward({ strides: 1, pad: 1 }),
  'GroupedConv2D without padding': forward({ strides: 1, pad: 0 }),
  'GroupedConv2D at stride 2': forward({ strides: 2, pad: 1 }),
  'GroupedConv2D with a constant filter': forward({ strides: 1, pad: 1 }, filter),
  'GroupedConv2D with a constant filter at stride 2': forward({ strides: 2, pad: 1 }, filter),
  ...backward([2, 5, 6, 12], { strides: 1, pad: 1 }),
  ...backward([2, 3, 3, 12], { strides: 2, pad: 1 }),
};
