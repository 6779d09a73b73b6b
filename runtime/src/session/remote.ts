/**
 * Sessions in another thread, over any channel of messages. Node's worker threads and a browser's
 * workers use the same code: `serve` in the worker and `Remote` in the thread that started it.
 */
import { UserError } from '../errors.js';
import type { OpenOptions, Session, TensorData } from './ort-session.js';

type Tensors = Record<string, TensorData>;

type Call =
  | { call: 'open'; model: Uint8Array | string; options: OpenOptions }
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
  post(message: unknown, transfer: ArrayBuffer[]): void;
}

const buffersOf = (tensors: Tensors): ArrayBuffer[] =>
  Object.values(tensors).map(({ data }) => data.buffer as ArrayBuffer);

/** The worker's end: returns what it does with each message. */
export function serve(
  open: (model: Uint8Array | string, options: OpenOptions) => Promise<Session>,
  port: Port,
): (message: unknown) => Promise<void> {
  const sessions = new Map<number, Session>();
  const answer = async (request: Request): Promise<[value: unknown, transfer: ArrayBuffer[]]> => {
    if (request.call === 'open') {
      const session = await open(request.model, request.options);
      sessions.set(request.id, session);
      const { inputs, outputs, inputNames, outputNames, device, reason } = session;
      const facts: Facts = { inputs, outputs, inputNames, outputNames, device, reason };
      return [facts, []];
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
      port.post({ id, value } satisfies Reply, transfer);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      const { message } = error;
      port.post({ id, error: { message, user: error instanceof UserError } } satisfies Reply, []);
    }
  };
}

/** The end of the thread that started the worker: opens sessions there. */
export class Remote {
  #calls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #next = 0;
  #open = 0;
  #lost: Error | undefined;

  /**
   * @param busy called with true when an answer is awaited, and with false when none is any more
   * @param idle called when the last session has been disposed of
   */
  constructor(
    readonly port: Port,
    readonly busy: (waiting: boolean) => void,
    readonly idle: () => void,
  ) {}

  /** To be called with each message from the worker. */
  receive(message: unknown): void {
    const reply = message as Reply;
    const call = this.#calls.get(reply.id);
    this.#calls.delete(reply.id);
    if (this.#calls.size === 0) this.busy(false);
    if ('value' in reply) call?.resolve(reply.value);
    else {
      const { message, user } = reply.error;
      call?.reject(user ? new UserError(message) : new Error(message));
    }
  }

  /** To be called when the worker has ended: every answer that is still awaited fails. */
  fail(error: Error): void {
    this.#lost = error;
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }

  /** Opens a session in the worker. */
  async open(model: Uint8Array | string, options: OpenOptions): Promise<Session> {
    this.#open++;
    try {
      const id = this.#next;
      const { worker: _, ...rest } = options;
      const facts = await this.#call({ call: 'open', model, options: rest });
      return this.#session(id, facts as Facts);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  #session(session: number, facts: Facts): Session {
    let disposed: Promise<void> | undefined;
    return {
      ...facts,
      run: (feeds, fetch) => {
        // Buffers are transferred whole and are then gone from this thread, so send copies.
        const copies = Object.fromEntries(
          Object.entries(feeds).map(([name, tensor]) => [
            name,
            { ...tensor, data: tensor.data.slice() } as TensorData,
          ]),
        );
        const call = { call: 'run', session, feeds: copies, ...(fetch && { fetch }) } as const;
        return this.#call(call, buffersOf(copies)) as Promise<Tensors>;
      },
      dispose: () => {
        disposed ??= this.#call({ call: 'dispose', session }).then(() => this.#close());
        return disposed;
      },
    };
  }

  #close(): void {
    if (--this.#open === 0) this.idle();
  }

  #call(call: Call, transfer: ArrayBuffer[] = []): Promise<unknown> {
    if (this.#lost) return Promise.reject(this.#lost);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      if (this.#calls.size === 0) this.busy(true);
      this.#calls.set(id, { resolve, reject });
      this.port.post({ ...call, id } satisfies Request, transfer);
    });
  }
}
