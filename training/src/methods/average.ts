/** Moving averages of the generator, over whatever method trains it. */
import { spec } from '@gpn/export';
import type { Network, Tensors } from '@gpn/models';
import type { StepOutputs } from '../engine.js';
import { moveTowards } from '../steps/pixels.js';
import type { Method, Phase, StateSpecs } from './method.js';

interface Learning {
  readonly params: Tensors;
  readonly buffers: Tensors;
}

const GROUPS = ['params', 'buffers'] as const;

/**
 * A method that keeps, beside the generator, the moving average of its weights and of the statistics
 * that go with them (as Karras et al. 2018 draw their images): the average is what is exported.
 * @param keep the share of its old value that the average keeps at each step
 */
export function withAverage(method: Method, generator: Network, keep: number): Method {
  const average = Object.fromEntries(
    GROUPS.map((group) => [group, startingAs(`generator/${group}`, generator[group])]),
  );
  // Phases may share a step, which is compiled once.
  const steps = new Map<Phase['step'], Phase['step']>();
  const averaging = (phase: Phase): Phase => {
    if (!('generator' in phase.rates)) return phase;
    const step = steps.get(phase.step) ?? averagingStep(phase.step, keep);
    steps.set(phase.step, step);
    const state = phase.inputs.state as Record<string, object>;
    const specs = Object.fromEntries(
      GROUPS.map((group) => [
        group,
        Object.fromEntries(
          Object.entries(generator[group]).map(([name, { shape }]) => [name, spec(shape)]),
        ),
      ]),
    );
    const kept = { ...state, generator: { ...state.generator, average: specs } };
    return { ...phase, step, inputs: { ...phase.inputs, state: kept } };
  };
  const { generator: trained, ...others } = method.state as { generator: StateSpecs };
  return {
    ...method,
    state: { ...others, generator: { ...trained, average } },
    phases: method.phases.map(averaging),
  };
}

/** The same step, followed by one of the average. */
const averagingStep =
  (step: Phase['step'], keep: number): Phase['step'] =>
  (inputs): StepOutputs => {
    const { generator, ...others } = inputs.state as unknown as {
      generator: Learning & { average: Learning };
    };
    const { average, ...before } = generator;
    const { state, metrics } = step({ ...inputs, state: { ...others, generator: before } });
    const after = (state as { generator: Learning }).generator;
    const moved = Object.fromEntries(
      GROUPS.map((group) => [group, moveTowards(average[group], after[group], keep)]),
    );
    return { metrics, state: { ...state, generator: { ...after, average: moved } } };
  };

/** Tensors that start as those of a group do. */
const startingAs = (group: string, specs: Network['params']): StateSpecs =>
  Object.fromEntries(
    Object.entries(specs).map(([name, { shape }]) => [
      name,
      { shape, start: { kind: 'same', as: `${group}/${name}` } },
    ]),
  );
