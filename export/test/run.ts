import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import { type OnnxModel, spec, type TensorSpec, trace } from '../src/index.js';
import type { Case, Values } from './cases/case.js';

/** Largest difference over the largest magnitude of what is expected. */
export const TOLERANCE = { forward: 1e-5, gradient: 1e-4 } as const;

export interface Output {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Runs a traced graph in onnxruntime; the results are in the order of the graph's outputs. */
export async function run(model: OnnxModel, inputs: readonly Values[]): Promise<Output[]> {
  const session = await ort.InferenceSession.create(model.toBytes(), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  try {
    const feeds: Record<string, ort.Tensor> = {};
    model.graph.inputs.forEach((v, i) => {
      const { data, shape, dtype } = inputs[i] as Values;
      feeds[v.name as string] = new ort.Tensor(dtype as 'float32', data as Float32Array, shape);
    });
    const results = await session.run(feeds);
    return model.graph.outputs.map(({ name }) => results[name] as unknown as Output);
  } finally {
    await session.release();
  }
}

const call = (fn: Case['fn'], tensors: readonly tf.Tensor[]): tf.Tensor[] =>
  [(fn as (...xs: tf.Tensor[]) => tf.Tensor | tf.Tensor[])(...tensors)].flat();

/** The graph of a function of as many tensors as there are values. */
export const traced = (fn: Case['fn'], inputs: readonly Values[]): OnnxModel =>
  trace(({ x }) => ({ y: call(fn, x as unknown as tf.Tensor[]) }), {
    x: inputs.map((v): TensorSpec => spec(v.shape, v.dtype)),
  });

/** What TF.js computes by itself, on its cpu backend. */
export function eager(fn: Case['fn'], inputs: readonly Values[]): Output[] {
  void tf.setBackend('cpu');
  return tf.engine().tidy(() => {
    const tensors = inputs.map((v) => tf.tensor(v.data, [...v.shape], v.dtype));
    return call(fn, tensors).map((t) => ({ dims: t.shape, data: t.dataSync() }));
  }) as unknown as Output[];
}

/** NaN equals NaN and an infinity itself; the rest is compared by the largest magnitude. */
export function expectClose(actual: Output, expected: Output, tolerance: number): void {
  expect([...actual.dims]).toEqual([...expected.dims]);
  const [a, e] = [Array.from(actual.data, Number), Array.from(expected.data, Number)];
  const finite = e.filter(Number.isFinite).map(Math.abs);
  const magnitude = Math.max(1e-12, ...finite);
  e.forEach((value, i) => {
    if (!Number.isFinite(value)) expect(a[i]).toBe(value);
    else expect(Math.abs((a[i] as number) - value) / magnitude).toBeLessThanOrEqual(tolerance);
  });
}
