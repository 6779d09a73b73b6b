/** Training steps on TF.js, operation by operation: an engine, and the reference of the compiled one. */
import {
  flatten,
  isSpec,
  isTensor,
  mapLeaves,
  type TensorSpec,
  type Tensors,
} from '@gpn/export/trace';
import type { TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { mapRecord } from '../records.js';
import { pickState } from './session-step.js';
import { stateNames } from './state.js';
import type { CompiledStep, State, StepInputs, StepOutputs } from './types.js';

type StepFunction<S extends StepInputs> = (inputs: Tensors<S>) => StepOutputs;

/**
 * Runs one step on TF.js's current backend.
 * @param given `state` by path without the leading `state/`, and `feeds` by path
 * @returns the next state and the metrics, by name
 * @throws Error if an input is missing
 */
export function runEagerly<S extends StepInputs>(
  step: StepFunction<S>,
  inputs: S,
  given: { state: State; feeds: State },
): { state: State; metrics: Record<string, number> } {
  const names = stateNames(inputs);
  const known = pickState(given.state, names);
  const before = mapRecord(known, upload);
  const { state, metrics } = runOnce(step, inputs, before, given.feeds);
  const result = { state: mapRecord(state, download), metrics: mapRecord(metrics, number) };
  tf.dispose([before, state, metrics]);
  return result;
}

/** The TF.js backend that a step runs on, and its description. */
export interface Eager {
  readonly backend: string;
  /** The device, as reported to the user. */
  readonly device: string;
  /** Why this device was chosen. */
  readonly reason: string;
}

/** A step that runs operation by operation and keeps its state on the backend between calls. */
export function eagerStep<S extends StepInputs>(
  step: StepFunction<S>,
  inputs: S,
  { backend, device, reason }: Eager,
): CompiledStep {
  const names = stateNames(inputs);
  let current: Record<string, tf.Tensor> = {};
  const replace = (next: Record<string, tf.Tensor>): void => {
    // A step may return a tensor of its state unchanged.
    const kept = new Set(Object.values(next));
    for (const old of Object.values(current)) if (!kept.has(old)) old.dispose();
    current = next;
  };
  const eager: CompiledStep = {
    device,
    reason,
    rounding: device,
    // Other users of TF.js, an export for example, may have chosen another backend meanwhile.
    async run(feeds) {
      await tf.setBackend(backend);
      const { state, metrics } = runOnce(step, inputs, current, feeds);
      replace(state);
      const numbers = mapRecord(metrics, number);
      tf.dispose(metrics);
      return numbers;
    },
    state: () => mapRecord(current, download),
    load(state) {
      void tf.setBackend(backend); // the backend has been started, so this takes effect at once
      replace(mapRecord(pickState(state, names), upload));
    },
    async dispose() {
      replace({});
    },
    async runAll(feeds) {
      const metrics: Record<string, number>[] = [];
      for (const each of feeds) metrics.push(await eager.run(each));
      return metrics;
    },
  };
  return eager;
}

/** Runs the step; the caller disposes of the outputs. */
function runOnce<S extends StepInputs>(
  step: StepFunction<S>,
  inputs: S,
  state: Record<string, tf.Tensor>,
  feeds: State,
): { state: Record<string, tf.Tensor>; metrics: Record<string, tf.Tensor> } {
  return tf.tidy(() => {
    const tensorOf = (spec: TensorSpec, name: string): tf.Tensor => {
      const known = feeds[name] ? upload(feeds[name]) : state[name.replace(/^state\//, '')];
      if (!known) throw new Error(`the step's input ${name} is not given`);
      return known.dtype === spec.dtype || spec.dtype === 'uint8'
        ? known
        : tf.cast(known, spec.dtype);
    };
    const outputs = step(mapLeaves(inputs, isSpec, tensorOf, 'input') as Tensors<S>);
    const leaves = flatten(outputs.state, isTensor, 'state');
    return {
      state: Object.fromEntries(leaves.map(({ name, leaf }) => [name, leaf])),
      metrics: { ...outputs.metrics },
    };
  });
}

/** Copies a tensor to the backend. Bytes become floats, as in a traced graph. */
const upload = ({ dtype, shape, data }: TensorData): tf.Tensor =>
  dtype === 'float32' || dtype === 'int32' || dtype === 'bool'
    ? tf.tensor(data as tf.TypedArray, [...shape], dtype)
    : tf.tensor(Float32Array.from(data as Uint8Array), [...shape], 'float32');

const download = (t: tf.Tensor): TensorData =>
  ({ dtype: t.dtype, shape: t.shape, data: t.dataSync() }) as TensorData;

const number = (t: tf.Tensor): number => t.dataSync()[0] as number;
