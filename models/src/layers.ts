import * as tf from '@tensorflow/tfjs-core';
import { batchNormalize } from './batch-norm.js';
import {
  type Applied,
  type Layer,
  type LayerMaker,
  type LayerPass,
  prefixed,
  product,
  under,
} from './network.js';
import { rectify } from './rectify.js';
import { normalizeSpectrally, powerIteration } from './spectral-norm.js';

type Image = tf.Tensor4D;

/** Options of layers with weights. */
export interface WeightOptions {
  /** Spectral normalisation of the kernel (Miyato et al. 2018), one power iteration per pass. */
  readonly spectral?: boolean;
  /** A bias per output channel; before batch normalisation it would have no effect. */
  readonly bias?: boolean;
}

/** What all layers with weights share: a kernel, optionally normalised, and an optional bias. */
function weighted(
  kernel: { readonly shape: readonly number[]; readonly fanIn: number; readonly fanOut: number },
  channels: number,
  { spectral = false, bias = false }: WeightOptions,
  multiply: (x: tf.Tensor, kernel: tf.Tensor) => tf.Tensor,
): Pick<Layer, 'params' | 'buffers' | 'apply'> {
  const { shape, fanIn, fanOut } = kernel;
  const columns = shape.at(-1) as number;
  const rows = product(shape) / columns;
  return {
    params: {
      kernel: { shape, start: { kind: 'weight', fanIn, fanOut } },
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
 * so that the kernel is d · (k − 1) + 1 wide. A dilated convolution cannot be trained.
 */
export const conv = (
  k: number,
  s: number,
  p: number,
  out: number,
  { dilation = 1, ...options }: WeightOptions & { readonly dilation?: number } = {},
): LayerMaker => ({
  kind: 'conv',
  build: ([h = 0, w = 0, channels = 0]) => {
    const size = (n: number) => Math.floor((n + 2 * p - dilation * (k - 1) - 1) / s) + 1;
    const spec = {
      shape: [k, k, channels, out],
      fanIn: k * k * channels,
      fanOut: k * k * out,
    };
    return {
      outputShape: [size(h), size(w), out],
      flops: [2 * k * k * channels * out * size(h) * size(w)],
      ...weighted(spec, out, options, (x, kernel) =>
        tf.conv2d(x as Image, kernel as Image, s, p, 'NHWC', dilation),
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
      fanIn: k * k * out,
      fanOut: k * k * channels,
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

/** Batch normalisation over all axes but the last (Ioffe & Szegedy 2015): ε = 1e-5, momentum 0.9. */
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

type Shape = readonly number[];

/** A layer without tensors of its own. */
const pure = (
  kind: string,
  f: (x: tf.Tensor, pass: LayerPass) => tf.Tensor,
  shape: (s: Shape) => Shape = (s) => s,
  more: (s: Shape) => Pick<Layer, 'conditions' | 'noise'> = () => ({}),
): LayerMaker => ({
  kind,
  build: (inputShape) => ({
    outputShape: shape(inputShape),
    params: {},
    buffers: {},
    ...more(inputShape),
    apply: (_, __, x, pass) => ({ y: f(x, pass), buffers: {} }),
  }),
});

/** max(x, 0). */
export const relu = (): LayerMaker => pure('relu', (x) => rectify(x, 0));
/** max(x, slope · x), slope in [0, 1]. */
export const leakyRelu = (slope: number): LayerMaker => pure('leakyRelu', (x) => rectify(x, slope));
/** 1 / (1 + exp(−x)). */
export const sigmoid = (): LayerMaker => pure('sigmoid', (x) => tf.sigmoid(x));
/** The hyperbolic tangent. */
export const tanh = (): LayerMaker => pure('tanh', (x) => tf.tanh(x));

/** A vector [n] as an image of one pixel, [1, 1, n]. */
export const pixel = (): LayerMaker => reshape(([n = 0]) => [1, 1, n], 'pixel');

/** An image as a vector. */
export const flatten = (): LayerMaker => reshape((shape) => [product(shape)], 'flatten');

/** The same values in another shape; the batch stays as it is. */
export const reshape = (shape: (from: Shape) => Shape, kind = 'reshape'): LayerMaker => ({
  kind,
  build: (from) =>
    pure(
      kind,
      (x) => tf.reshape(x, [x.shape[0] as number, ...shape(from)]),
      () => shape(from),
    ).build(from),
});

/** Pooling over squares of k×k pixels; a remainder at the right and bottom is left out. */
const pool = (kind: string, f: (x: Image, k: number) => tf.Tensor) => (k: number) =>
  pure(
    kind,
    (x) => f(x as Image, k),
    ([h = 0, w = 0, c = 0]) => [Math.floor(h / k), Math.floor(w / k), c],
  );
/** The average of each square of k×k pixels. */
export const averagePool = pool('averagePool', (x, k) => tf.avgPool(x, k, k, 'valid'));
/** The maximum of each square of k×k pixels. */
export const maxPool = pool('maxPool', (x, k) => tf.maxPool(x, k, k, 'valid'));

/**
 * In training, sets each value to 0 with the probability `rate` and scales the others up to keep the
 * mean (Srivastava et al. 2014). Otherwise it does nothing.
 */
export const dropout = (rate: number): LayerMaker =>
  pure(
    'dropout',
    (x, { training, noise }) => {
      if (!training) return x;
      const kept = tf.cast(tf.greaterEqual(noise as tf.Tensor, rate), 'float32');
      return tf.mul(x, tf.mul(kept, 1 / (1 - rate)));
    },
    (s) => s,
    (s) => ({ noise: s }),
  );

/**
 * Appends a side input of this size to a vector, or to an image as constant channels.
 */
export const join = (name: string, size: number): LayerMaker =>
  pure(
    'join',
    (x, { conditions }) => {
      const given = conditions?.[name];
      if (!given) throw new Error(`the network needs ${name}`);
      if (x.rank === 2) return tf.concat([x, given], 1);
      const [n, h, w] = x.shape as [number, number, number];
      const planes = tf.add(tf.zeros([1, h, w, size]), tf.reshape(given, [n, 1, 1, size]));
      return tf.concat([x, planes], 3);
    },
    (shape) => [...shape.slice(0, -1), (shape.at(-1) as number) + size],
    () => ({ conditions: { [name]: size } }),
  );

/** Appends all of these side inputs, one after the other. */
export const joined = (conditions: Readonly<Record<string, number>> = {}): LayerMaker[] =>
  Object.entries(conditions).map(([name, size]) => join(name, size));

/** Several layers with the same input; the output is their vectors, concatenated. */
export const branches = (of: Readonly<Record<string, LayerMaker>>): LayerMaker => ({
  kind: 'branches',
  build: (inputShape) => {
    const built = Object.entries(of).map(([name, maker]) => ({
      name,
      layer: maker.build(inputShape),
    }));
    const named = <T>(pick: (layer: Layer) => Readonly<Record<string, T>>) =>
      Object.assign({}, ...built.map(({ name, layer }) => prefixed(name, pick(layer)))) as Readonly<
        Record<string, T>
      >;
    return {
      outputShape: [built.reduce((sum, { layer }) => sum + (layer.outputShape.at(-1) ?? 0), 0)],
      params: named((layer) => layer.params),
      buffers: named((layer) => layer.buffers),
      flops: built.flatMap(({ layer }) => layer.flops ?? []),
      apply(params, buffers, x, pass) {
        const after: Record<string, tf.Tensor> = {};
        const outputs = built.map(({ name, layer }) => {
          const applied = layer.apply(under(name, params), under(name, buffers), x, pass);
          Object.assign(after, prefixed(name, applied.buffers));
          return tf.reshape(applied.y, [x.shape[0] as number, applied.y.shape.at(-1) as number]);
        });
        return { y: tf.concat(outputs, 1), buffers: after };
      },
    };
  },
});
