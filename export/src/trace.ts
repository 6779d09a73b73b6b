import * as tf from '@tensorflow/tfjs-core';
import { BACKEND, type TraceBackend } from './backend.js';
import { Builder } from './builder.js';
import { encode } from './encode.js';
import type { Graph, Value } from './graph.js';
import { foldAffine } from './passes/affine.js';
import { freeBatch } from './passes/batch.js';
import { fuseBias } from './passes/gemm.js';
import { flatten, mapLeaves } from './structure.js';
import { view } from './view.js';

/** The shape and type of an input; a dimension given by a name, such as 'N', is free. */
export interface TensorSpec {
  readonly shape: readonly (number | string)[];
  /** uint8 inputs are float32 tensors to the traced function, of the values 0 to 255. */
  readonly dtype: 'float32' | 'int32' | 'bool' | 'uint8';
}

export const spec = (
  shape: readonly (number | string)[],
  dtype: TensorSpec['dtype'] = 'float32',
): TensorSpec => ({
  shape,
  dtype,
});

/** The same nested structure with a tensor for each leaf. */
export type Tensors<S> = S extends TensorSpec ? tf.Tensor : { [K in keyof S]: Tensors<S[K]> };

export interface TraceOptions {
  /** The graph's name in the file. */
  readonly name?: string;
  readonly doc?: string;
  /** Entries of the model's `metadata_props`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface OnnxModel {
  readonly graph: Graph;
  /** The .onnx file, with metadata that may be added after tracing. */
  toBytes(metadata?: Readonly<Record<string, string>>): Uint8Array;
  /** A listing for people and for tests; equal graphs print alike. */
  toString(): string;
}

/**
 * Free dimensions are traced at these sizes, and what differs between the two graphs depends on
 * the batch. They are primes, larger than a network's own sizes are likely to be multiples of.
 */
const BATCH = { size: 4093, other: 4099 };

const PASSES = [foldAffine, fuseBias];

/**
 * Runs a function of tensors once, recording the ONNX graph that computes the same. Gradients
 * taken inside it and updates computed in it are recorded like everything else.
 *
 * @param fn takes the structure of `inputs` with tensors as leaves; gives a tensor, or records and
 *   arrays of them.
 *   It must do its work with TF.js operations: reading a tensor's values or drawing random numbers
 *   inside it is refused.
 * @param inputs shapes and types; leaves are named by their path, `params/conv1/kernel`.
 * @throws Error that names the operation, if it has no ONNX form
 */
export function trace<S extends object>(
  fn: (inputs: Tensors<S>) => object,
  inputs: S,
  options: TraceOptions = {},
): OnnxModel {
  const free = new Set(
    flatten(inputs, isSpec, 'input').flatMap(({ leaf }) =>
      leaf.shape.filter((d) => typeof d === 'string'),
    ),
  );
  if (free.size > 1) {
    throw new Error(
      `a traced function can have one free dimension, not ${[...free].join(' and ')}`,
    );
  }
  const at = (batch: number): Graph =>
    PASSES.reduce((graph, pass) => verified(pass(graph)), verified(record(fn, inputs, batch)));
  const traced = at(BATCH.size);
  // Last, so that no pass writes the size it was traced at anew.
  const graph = free.size > 0 ? verified(freeBatch(traced, at(BATCH.other), BATCH)) : traced;
  const name = [...free][0] as string | undefined;
  const dim = (size: number): number | string => {
    if (name === undefined || size === 0 || size % BATCH.size !== 0) return size;
    return size === BATCH.size ? name : `${size / BATCH.size}${name}`;
  };
  const common = { name: options.name ?? (fn.name || 'traced'), doc: options.doc ?? '', dim };
  return {
    graph,
    toBytes: (metadata = {}) =>
      encode(graph, { ...common, metadata: { ...options.metadata, ...metadata } }),
    toString: () => graph.toString(),
  };
}

function verified(graph: Graph): Graph {
  graph.verify();
  return graph;
}

/** One run of the function on the recording backend, with free dimensions at the given size. */
function record<S extends object>(
  fn: (inputs: Tensors<S>) => object,
  inputs: S,
  batch: number,
): Graph {
  const builder = new Builder();
  const previous = tf.engine().backendName;
  // Both backends start synchronously, so the promise is settled when the call returns.
  void tf.setBackend(BACKEND);
  const backend = tf.backend() as TraceBackend;
  backend.start(builder);
  try {
    tf.engine().tidy(() => {
      const tensors = mapLeaves<TensorSpec, tf.Tensor>(
        inputs,
        isSpec,
        (leaf, name) => backend.tensor(view(input(builder, name, leaf, batch))),
        'input',
      );
      const outputs = fn(tensors as Tensors<S>);
      for (const { name, leaf } of flatten(outputs, isTensor, 'output')) {
        const v = backend.viewOf(leaf);
        builder.graph.output(name, v.perm ? builder.Transpose(v.value, v.perm) : v.value);
      }
    });
  } finally {
    backend.stop();
    if (previous) void tf.setBackend(previous);
  }
  return builder.graph;
}

function input(b: Builder, name: string, { shape, dtype }: TensorSpec, batch: number): Value {
  const sizes = shape.map((d) => (typeof d === 'string' ? batch : d));
  const value = b.graph.input(name, sizes, dtype);
  return dtype === 'uint8' ? b.Cast(value, 'float32') : value;
}

const isSpec = (x: unknown): x is TensorSpec =>
  typeof x === 'object' && x !== null && 'shape' in x && 'dtype' in x;
const isTensor = (x: unknown): x is tf.Tensor => x instanceof tf.Tensor;
