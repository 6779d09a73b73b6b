/**
 * Opens a step in a page. On WebGPU its state stays in the GPU's buffers between calls: only metrics come
 * back.
 */
import {
  type OpenOptions,
  openSession,
  type Session,
  type TensorData,
  UserError,
} from '@gpn/runtime';
import { type LoopBody, loopBody } from '@gpn/runtime/write';
import { metricsOf, SessionStep, type StepFacts, stacked } from '../../engine/session-step.js';
import type { State } from '../../engine/types.js';
import { mapRecord } from '../../records.js';

/**
 * Opens a step, or on WebGPU the body of its loop. ONNX Runtime runs a loop itself on the CPU, and so
 * copies the state to it and back at every step; its body alone is fed what it gave before, where that is.
 * @param graph bytes of a step that takes several steps in one call
 */
export async function openStep(
  graph: Uint8Array,
  options: OpenOptions,
  known: Omit<StepFacts, 'rounding'>,
): Promise<SessionStep> {
  const body = loopBody(graph);
  const outputs = known.names.map((name) => nameIn(body.outputs, `next/${name}`));
  const hold = { model: body.bytes, outputs };
  const session = await openSession(graph, { ...options, hold });
  const facts = { ...known, rounding: session.reason };
  return session.device === 'webgpu'
    ? new HeldStep(session, facts, body)
    : new SessionStep(session, facts);
}

/** @throws UserError if the graph has not the name */
function nameIn(names: ReadonlyMap<string, string>, name: string): string {
  const found = names.get(name);
  if (found === undefined) throw new UserError(`The step lacks ${name}.`);
  return found;
}

/** The body of a step's loop, in a session that may hold the state. */
export class HeldStep extends SessionStep {
  constructor(
    session: Session,
    facts: StepFacts,
    private readonly body: LoopBody,
  ) {
    super(session, facts);
  }

  /** One, so that the state before a step that diverged is still there. */
  override get most(): number {
    return 1;
  }

  override async runAll(feeds: readonly State[]): Promise<Record<string, number>[]> {
    const all: Record<string, number>[] = [];
    for (const each of feeds) all.push(await this.once(each));
    return all;
  }

  /** Reads what is held of a state. It was given by the last call, or fed to it. */
  override async read(state: State): Promise<State> {
    const held = Object.fromEntries(
      Object.entries(state).filter(([, tensor]) => tensor.held !== undefined),
    );
    const names = Object.keys(held);
    return names.length === 0 ? state : { ...state, ...(await this.session.run(held, names)) };
  }

  private async once(feeds: State): Promise<Record<string, number>> {
    const { round, takesPlace, carried, outputs } = this.body;
    const { names, times } = this.facts;
    const { [times]: _, ...fed } = stacked([feeds], times);
    const all: Record<string, TensorData> = {
      ...fed,
      [round]: { dtype: 'int64', shape: [], data: BigInt64Array.of(0n) },
      [takesPlace]: { dtype: 'bool', shape: [], data: Uint8Array.of(1) },
    };
    for (const name of names) {
      all[nameIn(carried, `state/${name}`)] = this.current[name] as TensorData;
    }
    const inner = Object.fromEntries(outputs);
    const given = await this.session.run(all, Object.values(inner));
    const named = mapRecord(inner, (name) => given[name] as TensorData);
    this.current = Object.fromEntries(
      names.map((name) => [name, named[`next/${name}`] as TensorData]),
    );
    return metricsOf(named, 0);
  }
}
