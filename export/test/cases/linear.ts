import * as tf from '@tensorflow/tfjs-core';
import { type Cases, constant, gradients, of, uniform } from './case.js';

const images = uniform([2, 7, 6, 3]);
const filter = uniform([3, 3, 3, 4], -0.5, 0.5);
const bias = uniform([4]);
const slopes = uniform([4], 0.1, 0.4);
const deep = uniform([3, 3, 3, 2], -0.5, 0.5);
const volumes = uniform([1, 4, 5, 4, 2]);
const cube = uniform([2, 2, 2, 2, 3], -0.5, 0.5);

type Images = tf.Tensor4D;
type Volumes = tf.Tensor5D;

export const LINEAR: Cases = {
  BatchMatMul: of(
    (a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b, false, true),
    uniform([2, 3, 4]),
    uniform([2, 5, 4]),
  ),
  _FusedMatMul: of(
    (a: tf.Tensor2D, b: tf.Tensor2D, c: tf.Tensor, p: tf.Tensor) => [
      tf.fused.matMul({ a, b, bias: c, activation: 'relu' }),
      tf.fused.matMul({ a, b, bias: c, activation: 'prelu', preluActivationWeights: p }),
    ],
    uniform([3, 5]),
    uniform([5, 4]),
    bias,
    slopes,
  ),
  Einsum: of(
    (a: tf.Tensor, b: tf.Tensor) => tf.einsum('bij,bjk->ki', a, b),
    uniform([2, 3, 4]),
    uniform([2, 4, 5]),
  ),
  Conv2D: of((x: Images, w: Images) => tf.conv2d(x, w, [2, 1], 'same'), images, filter),
  'Conv2D with a constant filter': of(
    (x: Images) => tf.conv2d(x, constant(filter) as Images, 1, 'valid'),
    images,
  ),
  'Conv2D, dilated': of(
    (x: Images, w: Images) => tf.conv2d(x, w, 1, 'same', 'NHWC', 2),
    images,
    filter,
  ),
  'Conv2D, channels first': of(
    (x: Images, w: Images) => tf.conv2d(x, w, 2, 1, 'NCHW'),
    uniform([2, 3, 7, 6]),
    filter,
  ),
  Conv2DBackpropInput: of(
    (y: Images, w: Images) => tf.conv2dTranspose(y, w, [2, 6, 6, 3], 2, 'same'),
    uniform([2, 3, 3, 4]),
    uniform([4, 4, 3, 4], -0.5, 0.5),
  ),
  'Conv2DBackpropInput with a constant filter': of(
    (y: Images) => tf.conv2dTranspose(y, constant(filter) as Images, [2, 7, 7, 3], 2, 'same'),
    uniform([2, 4, 4, 4]),
  ),
  'Conv2DBackpropInput of few channels with rows that no window reaches': of(
    (y: Images, w: Images) => tf.conv2dTranspose(y, w, [2, 8, 9, 3], [2, 3], 'valid'),
    uniform([2, 3, 3, 4]),
    uniform([3, 2, 3, 4], -0.5, 0.5),
  ),
  'Conv2DBackpropInput of few channels, in colour': of(
    (y: Images, w: Images) => tf.conv2dTranspose(y, w, [2, 8, 8, 3], 2, 'same'),
    uniform([2, 4, 4, 8]),
    uniform([4, 5, 3, 8], -0.5, 0.5),
  ),
  'Conv2DBackpropInput with rows that no window reaches': of(
    (y: Images) => tf.conv2dTranspose(y, constant(filter) as Images, [2, 8, 8, 3], 2, 'valid'),
    uniform([2, 3, 3, 4]),
  ),
  'Conv2D of many channels, padded': of(
    (x: Images, w: Images) =>
      tf.conv2d(
        x,
        w,
        [2, 1],
        [
          [0, 0],
          [1, 2],
          [0, 1],
          [0, 0],
        ],
      ),
    uniform([2, 5, 6, 8]),
    uniform([3, 2, 8, 3], -0.5, 0.5),
  ),
  'Conv2DBackpropInput of many channels, whose windows overlap': of(
    (y: Images, w: Images) => tf.conv2dTranspose(y, w, [2, 6, 6, 8], 2, 'same'),
    uniform([2, 3, 3, 2]),
    uniform([4, 4, 8, 2], -0.5, 0.5),
  ),
  'Conv2DBackpropInput of many channels, whose windows overlap unevenly': of(
    (y: Images, w: Images) => tf.conv2dTranspose(y, w, [2, 7, 7, 8], [2, 1], 'same'),
    uniform([2, 4, 7, 2]),
    uniform([3, 3, 8, 2], -0.5, 0.5),
  ),
  'Conv2DBackpropInput of many channels, with gaps between the windows': of(
    (y: Images, w: Images) => tf.conv2dTranspose(y, w, [2, 9, 8, 8], 3, 'valid'),
    uniform([2, 3, 3, 2]),
    uniform([2, 1, 8, 2], -0.5, 0.5),
  ),
  'Conv2DBackpropInput of many channels, in tiles': of(
    (y: Images, w: Images) => tf.conv2dTranspose(y, w, [2, 6, 6, 8], 2, 'same'),
    uniform([2, 3, 3, 2]),
    uniform([2, 2, 8, 2], -0.5, 0.5),
  ),
  Conv2DBackpropFilter: of(
    gradients((x, w) => tf.conv2d(x as Images, w as Images, 2, 'same')),
    images,
    filter,
  ),
  'Conv2D, Conv2DBackpropInput and -Filter, by Winograd': of(
    gradients((x, w) => tf.conv2d(x as Images, w as Images, 2, 1)),
    uniform([64, 4, 4, 48]),
    uniform([4, 4, 48, 48], -0.5, 0.5),
  ),
  'Conv2D of many channels into few, and its gradients': of(
    gradients((x, w) => tf.conv2d(x as Images, w as Images, 1, 'same')),
    uniform([2, 6, 5, 12]),
    uniform([3, 3, 12, 3], -0.5, 0.5),
  ),
  'Conv2D of many channels into fewer, padded unevenly, and its gradients': of(
    gradients((x, w) =>
      tf.conv2d(x as Images, w as Images, 1, [
        [0, 0],
        [0, 2],
        [1, 0],
        [0, 0],
      ]),
    ),
    uniform([2, 6, 5, 12]),
    uniform([3, 2, 12, 9], -0.5, 0.5),
  ),
  'Conv2D of many channels into few, channels first': of(
    (x: Images, w: Images) => tf.conv2d(x, w, 1, 'valid', 'NCHW'),
    uniform([2, 12, 6, 5]),
    uniform([3, 3, 12, 3], -0.5, 0.5),
  ),
  DepthwiseConv2dNative: of(
    (x: Images, w: Images) => tf.depthwiseConv2d(x, w, 1, 'same'),
    images,
    deep,
  ),
  'DepthwiseConv2dNative, dilated': of(
    (x: Images) => tf.depthwiseConv2d(x, constant(deep) as Images, 1, 'valid', 'NHWC', [2, 2]),
    images,
  ),
  'DepthwiseConv2dNativeBackpropInput and -Filter': of(
    gradients((x, w) => tf.depthwiseConv2d(x as Images, w as Images, 2, 'same')),
    images,
    deep,
  ),
  FusedConv2D: of(
    (x: Images, w: Images, b: tf.Tensor, p: tf.Tensor) => [
      tf.fused.conv2d({ x, filter: w, strides: 1, pad: 'same', bias: b, activation: 'elu' }),
      tf.fused.conv2d({
        x,
        filter: w,
        strides: 2,
        pad: 'valid',
        bias: b,
        activation: 'prelu',
        preluActivationWeights: p,
      }),
    ],
    images,
    filter,
    bias,
    slopes,
  ),
  FusedDepthwiseConv2D: of(
    (x: Images, w: Images, b: tf.Tensor) =>
      tf.fused.depthwiseConv2d({
        x,
        filter: w,
        strides: 1,
        pad: 'same',
        bias: b,
        activation: 'relu6',
      }),
    images,
    deep,
    uniform([6]),
  ),
  Conv3D: of((x: Volumes, w: Volumes) => tf.conv3d(x, w, [1, 2, 1], 'same'), volumes, cube),
  'Conv3DBackpropInputV2 and -FilterV2': of(
    gradients((x, w) => tf.conv3d(x as Volumes, w as Volumes, 2, 'valid')),
    volumes,
    cube,
  ),
  MaxPool: of((x: Images) => tf.maxPool(x, 3, 2, 'same'), images),
  'MaxPool with wide padding': of((x: Images) => tf.maxPool(x, 2, 1, 2), images),
  MaxPoolGrad: of(
    gradients((x) => tf.maxPool(x as Images, 2, 2, 'same')),
    images,
  ),
  MaxPool3D: of((x: Volumes) => tf.maxPool3d(x, 2, 2, 'valid'), volumes),
  MaxPool3DGrad: of(
    gradients((x) => tf.maxPool3d(x as Volumes, 2, 1, 'same')),
    volumes,
  ),
  MaxPoolWithArgmax: of(
    (x: Images) => Object.values(tf.maxPoolWithArgmax(x, 2, 2, 'valid')),
    images,
  ),
  'MaxPoolWithArgmax, counted over the batch': of(
    (x: Images) => Object.values(tf.maxPoolWithArgmax(x, 2, 2, 'valid', true)),
    images,
  ),
  AvgPool: of((x: Images) => tf.avgPool(x, 3, 2, 'same'), images),
  // A window wholly outside of the image has nothing to average: 0 here, 0/0 on TF.js's cpu.
  'AvgPool with wide padding': {
    fn: (x: Images) => tf.avgPool(x, 2, 1, 2),
    inputs: [images],
    oracle: (x: Images) => {
      const y = tf.avgPool(x, 2, 1, 2);
      return tf.where(tf.isNaN(y), 0, y);
    },
  },
  AvgPoolGrad: of(
    gradients((x) => tf.avgPool(x as Images, 3, 2, 'valid')),
    images,
  ),
  AvgPool3D: of((x: Volumes) => tf.avgPool3d(x, 2, 1, 'same'), volumes),
  AvgPool3DGrad: of(
    gradients((x) => tf.avgPool3d(x as Volumes, 2, 2, 'valid')),
    volumes,
  ),
  Dilation2D: of(
    (x: Images, w: tf.Tensor3D) => tf.dilation2d(x, w, 1, 'same'),
    images,
    uniform([2, 3, 3]),
  ),
  'Dilation2DBackpropInput and -Filter': of(
    gradients((x, w) => tf.dilation2d(x as Images, w as tf.Tensor3D, 2, 'valid')),
    images,
    uniform([2, 2, 3]),
  ),
};
