/** Training steps as graphs, under Node and in pages. */
import { type OnnxModel, type Tensors, trace } from '@gpn/export/trace';
import type { StepInputs, StepOutputs } from './types.js';

/**
 * Traces a training step to an ONNX model. The state enters as `state/…` and leaves as `next/…`;
 * metrics leave as `metrics/…`.
 * @param name of the graph
 */
export const traceStep = <S extends StepInputs>(
  step: (inputs: Tensors<S>) => StepOutputs,
  inputs: S,
  name = 'training step',
): OnnxModel =>
  // ONNX has one name space for inputs and outputs, so the state needs two names.
  trace(
    (tensors: Tensors<S>) => {
      const { state, metrics } = step(tensors);
      return { next: state, metrics };
    },
    inputs,
    { name },
  );

/** The bytes of a traced step that runs several times in one call and hands its state on inside. */
export const repeatedBytes = (model: OnnxModel, names: readonly string[]): Uint8Array =>
  model.toRepeatedBytes(new Map(names.map((name) => [`state/${name}`, `next/${name}`])));
