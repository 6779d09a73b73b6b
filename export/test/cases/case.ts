import * as tf from '@tensorflow/tfjs-core';

/** A tensor's values, from which the traced function's inputs are specified and fed. */
export interface Values {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly data: Float32Array | Int32Array | Uint8Array;
}

type Result = tf.Tensor | tf.Tensor[];

/** A small computation that uses a kernel: traced and run, it must give what TF.js computes. */
export interface Case {
  readonly fn: (...tensors: never[]) => Result;
  readonly inputs: readonly Values[];
  /** What to compare with, where TF.js's cpu backend lacks the kernel. */
  readonly oracle?: (...tensors: never[]) => Result;
  /** Largest difference over the largest magnitude, where float32 needs more than 1e-5. */
  readonly tolerance?: number;
}

export type Cases = Readonly<Record<string, Case>>;

export const of = (fn: Case['fn'], ...inputs: Values[]): Case => ({ fn, inputs });

const size = (shape: readonly number[]): number => shape.reduce((p, q) => p * q, 1);

/** Scattered numbers in [0, 1) that are the same everywhere and never equal: Weyl's sequence. */
const scattered = (n: number): number[] =>
  Array.from({ length: n }, (_, i) => ((i + 1) * 0.6180339887498949) % 1);

export const uniform = (shape: readonly number[], low = -2, high = 2): Values => ({
  shape,
  dtype: 'float32',
  data: Float32Array.from(scattered(size(shape)), (u) => low + (high - low) * u),
});
/** Whole numbers from `low` up to, not including, `high`. */
export const whole = (shape: readonly number[], low = -5, high = 6): Values => ({
  shape,
  dtype: 'int32',
  data: Int32Array.from(scattered(size(shape)), (u) => Math.floor(low + (high - low) * u)),
});
export const flags = (shape: readonly number[]): Values => ({
  shape,
  dtype: 'bool',
  data: Uint8Array.from(scattered(size(shape)), (u) => Number(u < 0.5)),
});
export const floats = (data: readonly number[], shape = [data.length]): Values => ({
  shape,
  dtype: 'float32',
  data: Float32Array.from(data),
});
export const integers = (data: readonly number[], shape = [data.length]): Values => ({
  shape,
  dtype: 'int32',
  data: Int32Array.from(data),
});

/** A tensor of values that the traced function holds itself: a constant of the graph. */
export const constant = ({ data, shape, dtype }: Values): tf.Tensor =>
  tf.tensor(data, [...shape], dtype);

/** The gradients of Σ f² for all arguments. */
export const gradients =
  (f: (...xs: tf.Tensor[]) => tf.Tensor) =>
  (...xs: tf.Tensor[]): tf.Tensor[] =>
    tf.grads((...ys) => tf.sum(tf.square(f(...ys))))(xs);

/** A kernel by its name, where no operation of TF.js calls it. */
export const kernel = (name: string, inputs: tf.NamedTensorMap, attrs: object): tf.Tensor =>
  tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap) as tf.Tensor;
