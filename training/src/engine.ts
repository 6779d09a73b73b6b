import { flatten, isSpec, type OnnxModel, type Tensors, trace } from '@gpn/export';
import { type OpenOptions, openSession, type Session, type TensorData } from '@gpn/runtime';
import type { Tensor } from '@tensorflow/tfjs-core';

/** Tensors by path: `generator/params/deconv1/kernel`. */
export type State = Readonly<Record<string, TensorData>>;

/** A step takes and gives its state; the other inputs are fed anew at every call. */
export interface StepInputs {
  readonly state: object;
  readonly [group: string]: object;
}
export interface StepOutputs {
  readonly state: object;
  readonly metrics: Readonly<Record<string, Tensor>>;
}

/** A training step that is ready to run, with its state kept from call to call. */
export interface CompiledStep {
  readonly device: string;
  /** Why this device was taken. */
  readonly reason: string;
  /** One step. Feeds are named by their path: `batch/images`. @returns the metrics */
  run(feeds: State): Promise<Record<string, number>>;
  /** The state as it is; its arrays must not be changed. */
  state(): State;
  /** Puts a state in place, a checkpoint's for example. */
  load(state: State): void;
  dispose(): Promise<void>;
}

/**
 * Traces a training step and opens a session for it.
 * @param step a pure function of TF.js tensors
 * @param inputs shapes and types of everything it takes
 */
export async function compile<S extends StepInputs>(
  step: (inputs: Tensors<S>) => StepOutputs,
  inputs: S,
  options: OpenOptions & { name?: string } = {},
): Promise<CompiledStep> {
  const model = traceStep(step, inputs, options.name);
  const session = await openSession(model.toBytes(), { label: 'The training step', ...options });
  return new Step(session, inputs);
}

export const traceStep = <S extends StepInputs>(
  step: (inputs: Tensors<S>) => StepOutputs,
  inputs: S,
  name = 'training step',
): OnnxModel =>
  // ONNX has one name space for inputs and outputs, so the state goes in and comes out by two names.
  trace(
    (tensors: Tensors<S>) => {
      const { state, metrics } = step(tensors);
      return { next: state, metrics };
    },
    inputs,
    { name },
  );

class Step implements CompiledStep {
  readonly device: string;
  readonly reason: string;
  private readonly names: readonly string[];
  private current: State = {};

  constructor(
    private readonly session: Session,
    inputs: StepInputs,
  ) {
    this.device = session.device;
    this.reason = session.reason;
    this.names = stateNames(inputs);
  }

  load(state: State): void {
    this.current = pickState(state, this.names);
  }

  state(): State {
    return this.current;
  }

  async run(feeds: State): Promise<Record<string, number>> {
    const all: Record<string, TensorData> = { ...feeds };
    for (const name of this.names) all[`state/${name}`] = this.current[name] as TensorData;
    const outputs = await this.session.run(all);
    const next: Record<string, TensorData> = {};
    for (const name of this.names) next[name] = outputs[`next/${name}`] as TensorData;
    this.current = next;
    const metrics = Object.entries(outputs).filter(([name]) => name.startsWith('metrics/'));
    return Object.fromEntries(
      metrics.map(([name, t]) => [name.slice('metrics/'.length), Number(t.data[0])]),
    );
  }

  dispose(): Promise<void> {
    return this.session.dispose();
  }
}

/** The tensors of a step's state, by path without the leading `state/`. */
export const stateNames = (inputs: StepInputs): string[] =>
  flatten(inputs.state, isSpec, 'state').map(({ name }) => name);

/** These tensors of a state and no others. @throws Error if one is missing */
export function pickState(state: State, names: readonly string[]): State {
  const missing = names.find((name) => !state[name]);
  if (missing) throw new Error(`the state lacks ${missing}`);
  return Object.fromEntries(names.map((name) => [name, state[name] as TensorData]));
}
