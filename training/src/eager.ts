import { flatten, mapLeaves, type Tensors } from '@gpn/export';
import type { TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { isSpec, type State, type StepInputs, type StepOutputs } from './engine.js';

/**
 * One step on TF.js's current backend, operation by operation: the oracle for compiled steps.
 * @param given `state` by path without the leading `state/`, `feeds` by path
 */
export function runEagerly<S extends StepInputs>(
  step: (inputs: Tensors<S>) => StepOutputs,
  inputs: S,
  given: { state: State; feeds: State },
): { state: State; metrics: Record<string, number> } {
  return tf.engine().tidy('step', () => {
    const tensors = mapLeaves(
      inputs,
      isSpec,
      (spec, name) => {
        const known = given.feeds[name] ?? given.state[name.replace(/^state\//, '')];
        if (!known) throw new Error(`the step's input ${name} is not given`);
        const dtype = spec.dtype === 'uint8' ? 'float32' : spec.dtype;
        return tf.tensor(
          Float32Array.from(known.data as Float32Array),
          [...spec.shape] as number[],
          dtype,
        );
      },
      'input',
    );
    const { state, metrics } = step(tensors as Tensors<S>);
    const next = flatten(state, isTensor, 'state').map(({ name, leaf }): [string, TensorData] => [
      name,
      { dtype: 'float32', shape: leaf.shape, data: leaf.dataSync<'float32'>() },
    ]);
    const numbers = Object.entries(metrics).map(([name, t]) => [name, t.dataSync()[0] as number]);
    // TF.js's tidy wants tensors back; the numbers travel past it.
    return {
      state: Object.fromEntries(next),
      metrics: Object.fromEntries(numbers),
    } as unknown as tf.TensorContainer;
  }) as unknown as { state: State; metrics: Record<string, number> };
}

const isTensor = (x: unknown): x is tf.Tensor => x instanceof tf.Tensor;
