/**
 * Sessions in a worker. A session here passes each call to the worker as a message. Web workers and
 * Node's processes share the code: `serve` in the worker and `Remote` in the program that started it.
 *
 * One call at a time is with the worker; the others wait here, where they can be taken back. If the
 * call that the worker has is given up and it does not answer soon, the worker is ended, whatever
 * native code it is in. Sessions that were lost with it open again in another.
 */
import { UserError } from '../errors.js';
import { GENEROUS } from '../format/limits.js';
import type { OpenOptions, Session, TensorData } from './ort-session.js';

type Tensors = Record<string, TensorData>;

type Call =
  | { call: 'open'; model: Uint8Array; options: OpenOptions }
  | { call: 'run'; session: number; feeds: Tensors; fetch?: readonly string[] }
  | { call: 'dispose'; session: number };

type Facts = Pick<
  Session,
  'inputs' | 'outputs' | 'inputNames' | 'outputNames' | 'device' | 'reason'
>;
type Request = Call & { id: number };
type Reply = { id: number } & ({ value: unknown } | { error: { message: string; user: boolean } });

/** One end of a channel of messages. */
export interface Port {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
}

const buffersOf = (tensors: Tensors): ArrayBuffer[] =>
  Object.values(tensors).map(({ data }) => data.buffer as ArrayBuffer);

/** The worker's end: returns what it does with each message. */
export function serve(
  open: (model: Uint8Array, options: OpenOptions) => Promise<Session>,
  port: Port,
): (message: unknown) => Promise<void> {
  const sessions = new Map<number, Session>();
  const answer = async (request: Request): Promise<[value: unknown, transfer: ArrayBuffer[]]> => {
    if (request.call === 'open') {
      const session = await open(request.model, request.options);
      sessions.set(request.id, session);
      const { run: _, dispose: __, ...facts } = session; // functions cannot be sent
      return [facts satisfies Facts, []];
    }
    const session = sessions.get(request.session);
    if (session === undefined) throw new Error('This session was disposed of');
    if (request.call === 'run') {
      const results = await session.run(request.feeds, request.fetch);
      return [results, buffersOf(results)];
    }
    sessions.delete(request.session);
    return [await session.dispose(), []];
  };
  return async (message) => {
    const request = message as Request;
    const { id } = request;
    try {
      const [value, transfer] = await answer(request);
      port.postMessage({ id, value } satisfies Reply, transfer);
    } catch (thrown) {
      const message = (thrown as Partial<Error>)?.message ?? String(thrown);
      const user = thrown instanceof UserError;
      port.postMessage({ id, error: { message, user } } satisfies Reply, []);
    }
  };
}

/** Milliseconds that a call which was given up may still take before its worker is ended. */
const GRACE = 400;

/** The worker ended before it came to this call, which is not to blame. */
class Ended extends Error {}

interface Task {
  readonly id: number;
  /** Made when the worker is free, so that what waits takes no memory. */
  readonly message: () => [call: Call, transfer: ArrayBuffer[]];
  resolve(value: unknown): void;
  reject(error: unknown): void;
  readonly signal: AbortSignal | undefined;
  readonly time: number;
  readonly label: string;
}

/** What a platform does with its worker. */
export interface Hooks extends Port {
  /** Called with true when an answer is awaited, and with false when none is any more. */
  busy(waiting: boolean): void;
  /** Ends the worker at once. */
  kill(): void;
}

/** The end of the program that started a worker. */
export class Remote {
  readonly #hooks: Hooks;
  readonly #queue: Task[] = [];
  #active: Task | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next = 0;
  #open = 0;
  #lost = false;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** Whether the worker has ended. */
  get lost(): boolean {
    return this.#lost;
  }

  /** To be called with each message from the worker. */
  receive(message: unknown): void {
    const reply = message as Reply;
    const task = this.#active;
    if (task === undefined || task.id !== reply.id) return;
    clearTimeout(this.#timer);
    this.#active = undefined;
    if ('value' in reply) task.resolve(reply.value);
    else {
      const { message, user } = reply.error;
      task.reject(user ? new UserError(message) : new Error(message));
    }
    this.#advance();
  }

  /** To be called when the worker has ended by itself: `reason` is the rest of a sentence. */
  ended(reason: string): void {
    const label = this.#active?.label ?? 'The model';
    this.#fail(new UserError(`${label} was stopped: ${reason}.`));
  }

  /** To be called when the worker could not be started. */
  fail(error: Error): void {
    this.#fail(error);
    for (const task of this.#queue.splice(0)) task.reject(error);
  }

  #fail(error: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    clearTimeout(this.#timer);
    this.#hooks.kill();
    this.#active?.reject(error);
    this.#active = undefined;
    for (const task of this.#queue.splice(0)) task.reject(new Ended('The worker has ended'));
    this.#hooks.busy(false);
  }

  /** Opens a model in the worker. @returns the session's number, and what is known of it */
  async open(model: Uint8Array, options: OpenOptions): Promise<[session: number, facts: Facts]> {
    this.#open++;
    const id = this.#next;
    // A signal cannot be sent, and the worker needs no other worker.
    const { worker: _, signal, ...rest } = options;
    try {
      const facts = await this.#call(() => [{ call: 'open', model, options: rest }, []], options);
      return [id, facts as Facts];
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** Runs a session. Its inputs are copied, because what is sent is gone from this thread. */
  run(
    session: number,
    feeds: Readonly<Record<string, TensorData>>,
    fetch: readonly string[] | undefined,
    options: OpenOptions,
  ): Promise<Tensors> {
    return this.#call(() => {
      const copies = Object.fromEntries(
        Object.entries(feeds).map(([name, tensor]) => [
          name,
          { ...tensor, data: tensor.data.slice() } as TensorData,
        ]),
      );
      return [{ call: 'run', session, feeds: copies, ...(fetch && { fetch }) }, buffersOf(copies)];
    }, options) as Promise<Tensors>;
  }

  async dispose(session: number): Promise<void> {
    if (!this.#lost) {
      // What has ended meanwhile has freed its memory.
      await this.#call(() => [{ call: 'dispose', session }, []], {}).catch(() => undefined);
    }
    this.#close();
  }

  #close(): void {
    if (--this.#open === 0) this.#fail(new Error('This session was disposed of'));
  }

  #call(
    message: Task['message'],
    { signal, limits, label = 'The model' }: OpenOptions,
  ): Promise<unknown> {
    if (this.#lost) return Promise.reject(new Ended('The worker has ended'));
    const id = this.#next++;
    const time = limits?.time ?? GENEROUS.time;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        reject(signal?.reason);
        const at = this.#queue.indexOf(task);
        if (at >= 0) this.#queue.splice(at, 1);
        else if (this.#active === task) this.#within(GRACE, () => this.#fail(signal?.reason));
      };
      const settled = <T>(settle: (value: T) => void) => {
        return (value: T): void => {
          signal?.removeEventListener('abort', giveUp);
          settle(value);
        };
      };
      const task: Task = {
        ...{ id, message, signal, time, label },
        resolve: settled(resolve),
        reject: settled(reject),
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', giveUp);
      this.#queue.push(task);
      if (this.#active === undefined) this.#advance();
    });
  }

  #advance(): void {
    const task = this.#queue.shift();
    this.#active = task;
    this.#hooks.busy(task !== undefined);
    if (task === undefined) return;
    this.#within(task.time, () =>
      this.#fail(
        new UserError(
          `${task.label} was stopped: it took longer than ${task.time / 1000} s, its limit of time.`,
        ),
      ),
    );
    try {
      const [call, transfer] = task.message();
      this.#hooks.postMessage({ ...call, id: task.id } satisfies Request, transfer);
    } catch (error) {
      clearTimeout(this.#timer);
      this.#active = undefined;
      task.reject(error);
      this.#advance();
    }
  }

  #within(ms: number, end: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(end, ms);
  }
}

/**
 * Opens models in workers. Those without limits share one, which starts with the first of them and ends
 * with the last; a model with limits has one of its own.
 */
export function workersBy(
  start: (options: OpenOptions) => Remote,
): (model: Uint8Array, options: OpenOptions) => Promise<Session> {
  const reusing = () => {
    let running: Remote | undefined;
    return (options: OpenOptions): Remote => {
      if (running === undefined || running.lost) running = start(options);
      return running;
    };
  };
  const shared = reusing();
  return (model, options) => {
    const worker = options.limits ? reusing() : shared;
    return openRemote(() => worker(options), model, options);
  };
}

/**
 * Opens a model in a worker, and in another one if that worker ends for another model's sake.
 *
 * @param worker gives the worker that is running, or starts one
 */
async function openRemote(
  worker: () => Remote,
  model: Uint8Array,
  options: OpenOptions,
): Promise<Session> {
  const open = async (given: OpenOptions) => {
    const remote = worker();
    const [id, facts] = await remote.open(model, given);
    return { remote, id, facts };
  };
  const { signal: _, ...lasting } = options;
  let held = open(options);
  const { facts } = await held.catch((error: unknown) => {
    if (!(error instanceof Ended)) throw error;
    held = open(options);
    return held;
  });
  let disposed: Promise<void> | undefined;
  return {
    ...facts,
    async run(feeds, fetch, signal) {
      const attempt = async () => {
        const { remote, id } = await held;
        return remote.run(id, feeds, fetch, { ...lasting, ...(signal && { signal }) });
      };
      if (disposed !== undefined) throw new Error('This session was disposed of');
      const before = held;
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Ended)) throw error;
        // Runs that were lost together open the model once.
        if (held === before) held = open(lasting);
        return attempt();
      }
    },
    dispose() {
      disposed ??= held.then(
        ({ remote, id }) => remote.dispose(id),
        () => undefined,
      );
      return disposed;
    },
  };
}
