import type { Builder } from './builder.js';
import { inverse, isIdentity, permute, range } from './shapes.js';
import type { Value } from './value.js';

/**
 * A tensor as TF.js sees it, and how it lies in the graph: a value with a pending permutation.
 * TF.js is channels-last and ONNX's convolutions are channels-first; carrying the permutation
 * along instead of transposing at once lets layer after layer stay channels-first.
 */
export interface View {
  readonly value: Value;
  /** Per axis of the TF.js tensor, the axis of `value` that holds it; absent: the same order. */
  readonly perm?: readonly number[];
}

/** A channels-first image, or volume, seen channels-last. */
export const CHANNELS_FIRST = [0, 2, 3, 1];
export const VOLUME_CHANNELS_FIRST = [0, 2, 3, 4, 1];

export const view = (value: Value, perm?: readonly number[]): View =>
  perm && !isIdentity(perm) ? { value, perm } : { value };

/** The shape TF.js sees. */
export const shapeOf = (v: View): readonly number[] =>
  v.perm ? permute(v.value.shape, v.perm) : v.value.shape;

/** The value in TF.js's order of axes, transposed if need be. */
export const dense = (b: Builder, v: View): Value =>
  v.perm ? b.Transpose(v.value, v.perm) : v.value;

/**
 * The value with its axes laid out as a view under `perm` has them. A tensor of lower rank gets
 * leading axes of size 1 first, so that it broadcasts as it would have in TF.js.
 */
export function laidOut(b: Builder, v: View, perm: readonly number[]): Value {
  if (v.perm && v.perm.length === perm.length && v.perm.every((p, i) => p === perm[i])) {
    return v.value;
  }
  const value = dense(b, v);
  if (value.shape.length === 0) return value;
  const full = [...range(perm.length - value.shape.length).map(() => 1), ...value.shape];
  return b.Transpose(b.Reshape(value, full), inverse(perm));
}
