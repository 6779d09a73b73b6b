import { availableParallelism } from 'node:os';
import { flatten, isSpec, type OnnxModel, type Tensors, TIMES, trace } from '@gpn/export';
import { openSession, type Session, type TensorData, threadsNote } from '@gpn/runtime';
import { util } from '@tensorflow/tfjs-core';
import { pickState, stateNames } from './state.js';
import type { CompiledStep, CompileOptions, State, StepInputs, StepOutputs } from './types.js';

/**
 * A step of less work than this, in floating-point operations of products, has none that is worth
 * dividing, while the thread that feeds it is glad of a processor. GPN's discriminator, 8 million, on
 * two processors: 0.5 to 0.8 ms on one thread, 1.0 to 1.2 on two; gan-zeros, 120 million: 2.6 and 2.4.
 */
const SMALL_STEP = 20e6;
/** About so many operations take as long as reading and writing a number of the state. */
const PER_NUMBER = 50;

/**
 * As many threads as are worth a step's while, on the device cpu.
 * @param flops floating-point operations of a step's products
 */
export function threadsFor(flops: number, { state }: StepInputs): number {
  const shapes = flatten(state, isSpec, 'state').map(({ leaf }) => leaf.shape as number[]);
  const numbers = shapes.reduce((sum, shape) => sum + util.sizeFromShape(shape), 0);
  return flops + PER_NUMBER * numbers < SMALL_STEP ? 1 : availableParallelism();
}

/**
 * Traces a training step and opens a session for it.
 * @param step a pure function of TF.js tensors
 * @param inputs shapes and types of everything it takes
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
  readonly rounding: string;
  private current: State = {};

  constructor(
    private readonly session: Session,
    private readonly names: readonly string[],
    threads: number,
  ) {
    this.device = session.device;
    this.reason = session.reason;
    this.rounding = session.device === 'cpu' ? `cpu, ${threadsNote(threads)}` : session.device;
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

/** What some steps are fed, as what their loop is: a first axis more, and how many they are. */
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
