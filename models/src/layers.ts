import * as tf from '@tensorflow/tfjs-core';
import { batchNormalize } from './batch-norm.js';
import type { Layer, LayerMaker } from './network.js';
import { rectify } from './rectify.js';
import { normalizeSpectrally, powerIteration } from './spectral-norm.js';

type Image = tf.Tensor4D;

export interface ConvOptions {
  /** Spectral normalisation of the kernel (Miyato et al. 2018), one power iteration a pass. */
  readonly spectral?: boolean;
  /** A bias per output channel; off under batch normalisation, which has its own. */
  readonly bias?: boolean;
}

/**
 * Convolution of [height, width, channels]: kernel k×k, stride s, p zeros on every side.
 * Its output is ⌊(in + 2p − k) / s⌋ + 1 wide.
 */
export const conv = (
  k: number,
  s: number,
  p: number,
  out: number,
  options: ConvOptions = {},
): LayerMaker => ({
  kind: 'conv',
  build: ([h = 0, w = 0, channels = 0]) => {
    const size = (n: number) => Math.floor((n + 2 * p - k) / s) + 1;
    const shape = [k, k, channels, out];
    const start = { kind: 'weight', fanIn: k * k * channels, fanOut: k * k * out } as const;
    const buffers = {
      u: { shape: [out, 1], start: { kind: 'direction' } },
      v: { shape: [k * k * channels, 1], start: { kind: 'direction' } },
    } as const;
    return {
      outputShape: [size(h), size(w), out],
      params: {
        kernel: { shape, start },
        ...(options.bias && { bias: { shape: [out], start: { kind: 'zeros' } as const } }),
      },
      buffers: options.spectral ? buffers : {},
      flops: 2 * k * k * channels * out * size(h) * size(w),
      apply(params, state, x, training) {
        const raw = params.kernel as Image;
        const vectors = options.spectral && (training ? powerIteration(raw, state) : state);
        const kernel = (vectors ? normalizeSpectrally(raw, vectors) : raw) as Image;
        const y = tf.conv2d(x as Image, kernel, s, p);
        return { y: params.bias ? tf.add(y, params.bias) : y, buffers: vectors || {} };
      },
    };
  },
});

/** Transposed convolution in PyTorch's convention: its output is (in − 1)·s − 2p + k wide. */
export const deconv = (k: number, s: number, p: number, out: number): LayerMaker => ({
  kind: 'deconv',
  build: ([h = 0, w = 0, channels = 0]) => {
    const size = (n: number) => (n - 1) * s - 2 * p + k;
    const start = { kind: 'weight', fanIn: k * k * out, fanOut: k * k * channels } as const;
    return {
      outputShape: [size(h), size(w), out],
      params: { kernel: { shape: [k, k, out, channels], start } },
      buffers: {},
      flops: 2 * k * k * channels * out * h * w,
      apply: (params, _, x) => ({
        y: tf.conv2dTranspose(
          x as Image,
          params.kernel as Image,
          [x.shape[0] as number, size(h), size(w), out],
          s,
          p,
        ),
        buffers: {},
      }),
    };
  },
});

/** Batch normalisation over all axes but the last (Ioffe & Szegedy 2015): ε 1e-5, momentum 0.9. */
export const batchNorm = (): LayerMaker => ({
  kind: 'norm',
  build: (shape) => {
    const vector = [shape.at(-1) as number];
    return {
      outputShape: shape,
      params: {
        scale: { shape: vector, start: { kind: 'scale' } },
        offset: { shape: vector, start: { kind: 'zeros' } },
      },
      buffers: {
        mean: { shape: vector, start: { kind: 'zeros' } },
        variance: { shape: vector, start: { kind: 'ones' } },
      },
      apply: batchNormalize,
    };
  },
});

/** A layer without tensors of its own. */
const pure = (
  kind: string,
  f: (x: tf.Tensor) => tf.Tensor,
  shape?: (s: readonly number[]) => readonly number[],
): LayerMaker => ({
  kind,
  build: (inputShape): Layer => ({
    outputShape: shape ? shape(inputShape) : inputShape,
    params: {},
    buffers: {},
    apply: (_, __, x) => ({ y: f(x), buffers: {} }),
  }),
});

export const relu = (): LayerMaker => pure('relu', (x) => rectify(x, 0));
export const leakyRelu = (slope: number): LayerMaker => pure('leakyRelu', (x) => rectify(x, slope));
export const sigmoid = (): LayerMaker => pure('sigmoid', (x) => tf.sigmoid(x));
export const tanh = (): LayerMaker => pure('tanh', (x) => tf.tanh(x));

/** A vector as an image of one pixel. */
export const pixel = (): LayerMaker =>
  pure(
    'pixel',
    (x) => tf.reshape(x, [x.shape[0] as number, 1, 1, x.shape[1] as number]),
    ([n = 0]) => [1, 1, n],
  );

/** An image as a vector. */
export const flatten = (): LayerMaker =>
  pure(
    'flatten',
    (x) => tf.reshape(x, [x.shape[0] as number, x.size / (x.shape[0] as number)]),
    (shape) => [shape.reduce((a, b) => a * b, 1)],
  );
