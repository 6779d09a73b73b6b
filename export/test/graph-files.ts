/** Graph models written by hand, node by node. */
import type { io } from '@tensorflow/tfjs-core';

export type Node = { name: string; op: string; input?: string[]; attr?: Record<string, object> };

export const T = { type: 'DT_FLOAT' };
export const sizes = (...dims: number[]) => ({
  shape: { dim: dims.map((size) => ({ size: `${size}` })) },
});
export const placeholder = (name: string, dims: number[], type = 'DT_FLOAT'): Node => ({
  name,
  op: 'Placeholder',
  attr: { dtype: { type }, shape: sizes(...dims) },
});
export const constant = (name: string, type = 'DT_FLOAT'): Node => ({
  name,
  op: 'Const',
  attr: { dtype: { type } },
});
export const node = (
  name: string,
  op: string,
  input: string[],
  attr: Record<string, object> = { T },
): Node => ({
  name,
  op,
  input,
  attr,
});

export interface Weight {
  name: string;
  shape: number[];
  dtype: 'float32' | 'int32' | 'bool';
  values: number[] | Float32Array;
}

const BYTES = {
  float32: (v: number[]) => new Uint8Array(Float32Array.from(v).buffer),
  int32: (v: number[]) => new Uint8Array(Int32Array.from(v).buffer),
  bool: (v: number[]) => Uint8Array.from(v),
};

export function graphModel(
  nodes: Node[],
  weights: Weight[] = [],
  signature?: object,
): io.ModelArtifacts {
  const bytes = weights.flatMap(({ dtype, values }) => [...BYTES[dtype]([...values])]);
  return {
    format: 'graph-model',
    modelTopology: { node: nodes, versions: { producer: 1, minConsumer: 1 }, library: {} },
    weightSpecs: weights.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
    weightData: Uint8Array.from(bytes).buffer,
    ...(signature ? { signature } : {}),
  };
}
