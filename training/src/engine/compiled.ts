/** Training steps as one graph, run by ONNX Runtime. */
import { flatten, isSpec, type OnnxModel, type Tensors, TIMES, trace } from '@gpn/export';
import {
  openSession,
  processors,
  product,
  type Session,
  type TensorData,
  threadsNote,
} from '@gpn/runtime';
import { pickState, stateNames } from './state.js';
import type { CompiledStep, CompileOptions, State, StepInputs, StepOutputs } from './types.js';

/**
 * Number of floating-point operations below which a step runs on one thread: dividing so little work
 * costs more than it saves, and the thread that prepares the feeds needs a processor too. Measured on
 * two processors: GPN's discriminator (8 million) takes 0.5 to 0.8 ms on one thread and 1.0 to 1.2 ms
 * on two; gan-zeros (120 million) takes 2.6 ms and 2.4 ms.
 */
const SMALL_STEP = 20e6;
/** Operations that take about as long as reading and writing one number of the state. */
const PER_NUMBER = 50;

/**
 * Number of threads that pays off for a step on the device cpu.
 * @param flops floating-point operations of the step's matrix products and convolutions
 */
export function threadsFor(flops: number, { state }: StepInputs): number {
  const shapes = flatten(state, isSpec, 'state').map(({ leaf }) => leaf.shape as number[]);
  const numbers = shapes.reduce((sum, shape) => sum + product(shape), 0);
  return flops + PER_NUMBER * numbers < SMALL_STEP ? 1 : processors();
}

/**
 * Traces a training step and opens a session for it.
 * @param step a pure function of TF.js tensors
 * @param inputs shapes and types of all its inputs
 * @throws UserError if the device cannot be used
 */
export async function compile<S extends StepInputs>(
  step: (inputs: Tensors<S>) => StepOutputs,
  inputs: S,
  { name, flops = Number.POSITIVE_INFINITY, ...options }: CompileOptions = {},
): Promise<CompiledStep> {
  const model = traceStep(step, inputs, name);
  const names = stateNames(inputs);
  const carried = new Map(names.map((name) => [`state/${name}`, `next/${name}`]));
  const bytes = model.toRepeatedBytes(carried);
  const threads = options.threads ?? threadsFor(flops, inputs);
  const session = await openSession(bytes, { label: 'The training step', ...options, threads });
  return new Step(session, names, threads);
}

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

class Step implements CompiledStep {
  readonly device: string;
  readonly reason: string;
  readonly rounding: string;
  private current: State = {};

  constructor(
    private readonly session: Session,
    private readonly names: readonly string[],
    threads: number,
  ) {
    this.device = session.device;
    this.reason = session.reason;
    this.rounding = /^(cpu|wasm)$/.test(session.device)
      ? `${session.device}, ${threadsNote(threads)}`
      : session.device;
  }

  load(state: State): void {
    this.current = pickState(state, this.names);
  }

  state(): State {
    return this.current;
  }

  async run(feeds: State): Promise<Record<string, number>> {
    const [metrics] = await this.runAll([feeds]);
    return metrics as Record<string, number>;
  }

  async runAll(feeds: readonly State[]): Promise<Record<string, number>[]> {
    if (feeds.length === 0) return [];
    const all: Record<string, TensorData> = { ...stacked(feeds) };
    for (const name of this.names) all[`state/${name}`] = this.current[name] as TensorData;
    const outputs = await this.session.run(all);
    const next: Record<string, TensorData> = {};
    for (const name of this.names) next[name] = outputs[`next/${name}`] as TensorData;
    this.current = next;
    const metrics = Object.entries(outputs).filter(([name]) => name.startsWith('metrics/'));
    return feeds.map((_, i) =>
      Object.fromEntries(
        metrics.map(([name, t]) => [name.slice('metrics/'.length), Number(t.data[i])]),
      ),
    );
  }

  dispose(): Promise<void> {
    return this.session.dispose();
  }
}

/** Stacks the feeds of several steps along a new first axis, and adds the number of steps. */
function stacked(feeds: readonly State[]): State {
  const stack = (name: string, { dtype, shape, data }: TensorData): TensorData => {
    const all = data.slice(0, 0).constructor as new (length: number) => typeof data;
    const joined = new all(data.length * feeds.length);
    feeds.forEach((each, i) => {
      joined.set((each[name] as TensorData).data as never, i * data.length);
    });
    return { dtype, shape: [feeds.length, ...shape], data: joined } as TensorData;
  };
  const [first] = feeds as [State];
  const times = {
    dtype: 'int64',
    shape: [],
    data: BigInt64Array.of(BigInt(feeds.length)),
  } as const;
  return {
    ...Object.fromEntries(Object.entries(first).map(([name, t]) => [name, stack(name, t)])),
    [TIMES]: times,
  };
}
