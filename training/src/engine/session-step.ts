/** A training step in a session of ONNX Runtime, under Node or in a page: it knows nothing of either. */
import type { Session, TensorData } from '@gpn/runtime';
import type { CompiledStep, State } from './types.js';

/** The named tensors of a state. @throws Error if one is missing */
export function pickState(state: State, names: readonly string[]): State {
  const missing = names.find((name) => !state[name]);
  if (missing) throw new Error(`the state lacks ${missing}`);
  return Object.fromEntries(names.map((name) => [name, state[name] as TensorData]));
}

/** What is known of a step beside its session. */
export interface StepFacts {
  /** The paths of its state, without the leading `state/`. */
  readonly names: readonly string[];
  /** The input that says how many steps a call takes. */
  readonly times: string;
  /** See `CompiledStep`. */
  readonly rounding: string;
}

/** A step whose graph takes several steps in one call, in a session that is open. */
export class SessionStep implements CompiledStep {
  readonly device: string;
  readonly reason: string;
  readonly rounding: string;
  protected current: State = {};

  constructor(
    protected readonly session: Session,
    protected readonly facts: StepFacts,
  ) {
    this.device = session.device;
    this.reason = session.reason;
    this.rounding = facts.rounding;
  }

  load(state: State): void {
    this.current = pickState(state, this.facts.names);
  }

  state(): State {
    return this.current;
  }

  /** Steps that a call may take at most. */
  get most(): number {
    return Number.POSITIVE_INFINITY;
  }

  /** A state with all its elements here, wherever this step has left them. */
  async read(state: State): Promise<State> {
    return state;
  }

  async run(feeds: State): Promise<Record<string, number>> {
    const [metrics] = await this.runAll([feeds]);
    return metrics as Record<string, number>;
  }

  async runAll(feeds: readonly State[]): Promise<Record<string, number>[]> {
    if (feeds.length === 0) return [];
    const all: Record<string, TensorData> = { ...stacked(feeds, this.facts.times) };
    for (const name of this.facts.names) all[`state/${name}`] = this.current[name] as TensorData;
    const outputs = await this.session.run(all);
    const next: Record<string, TensorData> = {};
    for (const name of this.facts.names) next[name] = outputs[`next/${name}`] as TensorData;
    this.current = next;
    return feeds.map((_, i) => metricsOf(outputs, i));
  }

  dispose(): Promise<void> {
    return this.session.dispose();
  }
}

/** The metrics of one of the steps of a call, by name. */
export const metricsOf = (outputs: State, step: number): Record<string, number> =>
  Object.fromEntries(
    Object.entries(outputs)
      .filter(([name]) => name.startsWith(METRICS))
      .map(([name, { data }]) => [name.slice(METRICS.length), Number(data[step])]),
  );

const METRICS = 'metrics/';

/** Stacks the feeds of several steps along a new first axis, and adds the number of steps. */
export function stacked(feeds: readonly State[], name: string): State {
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
    [name]: times,
  };
}
