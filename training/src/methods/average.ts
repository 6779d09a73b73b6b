/** Adds a moving average of the generator's weights to a method. */
import { spec } from '@gpn/export/trace';
import type { Network, Tensors } from '@gpn/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { StepOutputs } from '../engine/types.js';
import { moveTowards } from '../steps/pixels.js';
import { asInputs, type StateSpecs } from '../steps/state.js';
import type { Method, Phase } from './method.js';

/**
 * Adds to a method a moving average of the generator's weights (used for sampling by Karras et al.
 * 2018), which is exported instead of the weights.
 * @param keep the share of its old value that the average keeps at each step, 0 to 1; or `input`, if a
 *   schedule gives it to the step as `rates/average`
 */
export function withAverage(method: Method, generator: Network, keep: number | 'input'): Method {
  const average: StateSpecs = Object.fromEntries(
    Object.entries(generator.params).map(([name, { shape }]) => [
      name,
      { shape, start: { kind: 'same', as: `generator/params/${name}` } },
    ]),
  );
  // Phases that share a step share the extended one, which is compiled once.
  const steps = new Map<Phase['step'], Phase['step']>();
  const averaging = (phase: Phase): Phase => {
    if (!('generator' in phase.rates)) return phase;
    const step = steps.get(phase.step) ?? averagingStep(phase.step, keep);
    steps.set(phase.step, step);
    const { generator: inputs, ...others } = phase.inputs.state as Record<string, object>;
    const state = { ...others, generator: { ...inputs, average: asInputs(average) } };
    const rates = { ...phase.inputs.rates, ...(keep === 'input' && { average: spec([]) }) };
    return { ...phase, step, inputs: { ...phase.inputs, state, rates } };
  };
  const { generator: trained } = method.state as { generator: StateSpecs };
  return {
    ...method,
    // The order must not change, because initial weights are drawn one after the other.
    state: { ...method.state, generator: { ...trained, average } },
    phases: method.phases.map(averaging),
  };
}

/** The step, followed by an update of the average. */
const averagingStep =
  (step: Phase['step'], keep: number | 'input'): Phase['step'] =>
  (inputs): StepOutputs => {
    const { generator, ...others } = inputs.state as {
      generator: { average: Tensors };
    };
    const { average, ...before } = generator;
    const { state, metrics } = step({ ...inputs, state: { ...others, generator: before } });
    const after = (state as { generator: { params: Tensors } }).generator;
    const share = keep === 'input' ? (inputs.rates as { average: Tensor }).average : keep;
    const moved = moveTowards(average, after.params, share);
    return { metrics, state: { ...state, generator: { ...after, average: moved } } };
  };
