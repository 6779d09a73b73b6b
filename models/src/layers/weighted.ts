/** Convolutions and fully connected layers. */
import * as tf from '@tensorflow/tfjs-core';
import { type Applied, type Layer, type LayerMaker, product, type Start } from '../network.js';
import { normalizeSpectrally, powerIteration } from '../spectral-norm.js';
import { groupedConv2d } from './grouped-conv.js';

type Image = tf.Tensor4D;

/** Options of layers with weights. */
export interface WeightOptions {
  /** Spectral normalisation of the kernel (Miyato et al. 2018), one power iteration per pass. */
  readonly spectral?: boolean;
  /** A bias per output channel; before batch normalisation it would have no effect. */
  readonly bias?: boolean;
  /**
   * Weights start as N(0, gain / √fan in), or as zeros if the gain is 0, whatever the recipe says;
   * without it, as the recipe says.
   */
  readonly gain?: number;
}

/** How a weight starts that has a gain of its own. */
export const scaled = (gain: number, fanIn: number): Start =>
  gain === 0 ? { kind: 'zeros' } : { kind: 'normal', std: gain / Math.sqrt(fanIn) };

/** What all layers with weights share: a kernel, optionally normalised, and an optional bias. */
function weighted(
  kernel: {
    readonly shape: readonly number[];
    readonly fanIn: number;
    readonly fanOut: number;
    /** Inputs that an output depends on, if `fanIn` counts otherwise. */
    readonly sees?: number;
  },
  channels: number,
  { spectral = false, bias = false, gain }: WeightOptions,
  multiply: (x: tf.Tensor, kernel: tf.Tensor) => tf.Tensor,
): Pick<Layer, 'params' | 'buffers' | 'apply'> {
  const { shape, fanIn, fanOut, sees = fanIn } = kernel;
  const columns = shape.at(-1) as number;
  const rows = product(shape) / columns;
  return {
    params: {
      kernel: {
        shape,
        start: gain === undefined ? { kind: 'weight', fanIn, fanOut } : scaled(gain, sees),
      },
      ...(bias && { bias: { shape: [channels], start: { kind: 'zeros' } as const } }),
    },
    buffers: spectral
      ? {
          u: { shape: [columns, 1], start: { kind: 'direction' } },
          v: { shape: [rows, 1], start: { kind: 'direction' } },
        }
      : {},
    apply(params, state, x, { training }): Applied {
      const raw = params.kernel as tf.Tensor;
      const vectors = spectral && (training ? powerIteration(raw, state) : state);
      const y = multiply(x, vectors ? normalizeSpectrally(raw, vectors) : raw);
      return { y: params.bias ? tf.add(y, params.bias) : y, buffers: vectors || {} };
    },
  };
}

/**
 * Convolution of [height, width, channels] with a k×k kernel, stride s and p zeros on every side. The
 * output is ⌊(in + 2p − k) / s⌋ + 1 wide. With a dilation d the kernel's values are d pixels apart,
 * so that the kernel is d · (k − 1) + 1 wide. A dilated convolution cannot be trained. In `groups` the
 * channels are divided, and each group of outputs sees its own group of inputs.
 */
export const conv = (
  k: number,
  s: number,
  p: number,
  out: number,
  {
    dilation = 1,
    groups = 1,
    ...options
  }: WeightOptions & { readonly dilation?: number; readonly groups?: number } = {},
): LayerMaker => ({
  kind: 'conv',
  build: ([h = 0, w = 0, channels = 0]) => {
    const size = (n: number) => Math.floor((n + 2 * p - dilation * (k - 1) - 1) / s) + 1;
    const spec = {
      shape: [k, k, channels / groups, out],
      fanIn: (k * k * channels) / groups,
      fanOut: (k * k * out) / groups,
    };
    return {
      outputShape: [size(h), size(w), out],
      flops: [(2 * k * k * channels * out * size(h) * size(w)) / groups],
      ...weighted(spec, out, options, (x, kernel) =>
        groups > 1
          ? groupedConv2d(x, kernel, { groups, stride: s, pad: p })
          : tf.conv2d(x as Image, kernel as Image, s, p, 'NHWC', dilation),
      ),
    };
  },
});

/**
 * Transposed convolution as in PyTorch: its output is (in − 1)·s − 2p + k wide. With p `same` the
 * output is in · s wide, and the padding is placed as in TensorFlow.
 */
export const deconv = (
  k: number,
  s: number,
  p: number | 'same',
  out: number,
  options: Omit<WeightOptions, 'spectral'> = {},
): LayerMaker => ({
  kind: 'deconv',
  build: ([h = 0, w = 0, channels = 0]) => {
    const size = (n: number) => (p === 'same' ? n * s : (n - 1) * s - 2 * p + k);
    const spec = {
      shape: [k, k, out, channels],
      fanIn: k * k * out, // as PyTorch counts
      fanOut: k * k * channels,
      sees: (k * k * channels) / (s * s),
    };
    return {
      outputShape: [size(h), size(w), out],
      flops: [2 * k * k * channels * out * h * w],
      ...weighted(spec, out, options, (x, kernel) =>
        tf.conv2dTranspose(
          x as Image,
          kernel as Image,
          [x.shape[0] as number, size(h), size(w), out],
          s,
          p,
        ),
      ),
    };
  },
});

/** A fully connected layer: a vector times a matrix, plus a bias by default. */
export const dense = (out: number, options: WeightOptions = {}): LayerMaker => ({
  kind: 'dense',
  build: ([n = 0]) => ({
    outputShape: [out],
    flops: [2 * n * out],
    ...weighted(
      { shape: [n, out], fanIn: n, fanOut: out },
      out,
      { bias: true, ...options },
      (x, kernel) => tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D),
    ),
  }),
});
