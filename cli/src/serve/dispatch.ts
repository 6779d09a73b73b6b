/**
 * The queue in front of the workers. Requests that may share a run do; those for whom there is no room
 * are refused at once, and those whose client has gone leave the queue.
 */
import type { Answer, Job, Result, Worker } from './jobs.js';

/** There is no room in the queue. */
export class Busy extends Error {
  /** @param seconds after which there should be room */
  constructor(
    readonly seconds: number,
    why = 'The queue is full',
  ) {
    super(`${why}: try again in ${seconds} s.`);
  }
}

/** A request was not answered in its time. */
export class Late extends Error {
  constructor(ms: number) {
    super(`The request was not answered within ${ms / 1000} s, its limit of time.`);
  }
}

/** Nobody waits for the answer any more. */
export class Gone extends Error {}

/** A job could not be done, for a reason that the user can mend. */
export class Refused extends Error {}

/** Limits of the queue. */
export interface Limits {
  /** The most items (images, rows) that wait. */
  readonly queue: number;
  /** The most items of a run that requests share. */
  readonly batch: number;
  /** Milliseconds that a request waits for others to share a run with. */
  readonly delay: number;
  /** Milliseconds within which a request is answered. */
  readonly timeout: number;
}

/** What is asked of a worker. */
export interface Task {
  readonly model: string;
  readonly job: Job;
  /** Its share of a run. */
  readonly items: number;
  /** Tasks of the same key may share a run; undefined: this one runs alone. */
  readonly key?: string | undefined;
  /** Milliseconds within which it is answered, if less than the limit. */
  readonly timeout?: number | undefined;
}

/** Has `leave` called once nobody waits for the answer any more. */
export type Leaving = (leave: () => void) => void;

interface Waiting {
  readonly task: Task;
  readonly since: number;
  readonly settle: (result: Answer | Error) => void;
}

/** Told what happens, for statistics. */
export interface Watch {
  /** A run of so many items in so many milliseconds. */
  ran(items: number, ms: number): void;
}

/** Weight of the last run in the average time of an item. */
const FRESH = 0.2;

export class Dispatcher {
  readonly #idle: Worker[];
  readonly #workers: number;
  readonly #limits: Limits;
  readonly #watch: Watch | undefined;
  readonly #queue: Waiting[] = [];
  #waiting = 0;
  #gathering = false;
  #busy: Busy | undefined;
  /** Milliseconds of a worker for an item, on average. */
  #pace = 0;
  #timer: NodeJS.Timeout | undefined;
  #drained: (() => void) | undefined;

  constructor(workers: readonly Worker[], limits: Limits, watch?: Watch) {
    this.#idle = [...workers];
    this.#workers = workers.length;
    this.#limits = limits;
    this.#watch = watch;
  }

  /** Items that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Seconds after which what waits now should be done, from 1. */
  get seconds(): number {
    return Math.min(
      60,
      Math.max(1, Math.ceil((this.#waiting * this.#pace) / this.#workers / 1000)),
    );
  }

  /**
   * The answer to a task.
   *
   * @param leaving takes the task back; if it calls `leave` after the answer, nothing happens
   * @throws Busy if there is no room, Late if it takes too long, Gone if it was taken back, Refused if
   *   the job cannot be done
   */
  submit(task: Task, leaving?: Leaving): Promise<Answer> {
    const { queue, timeout } = this.#limits;
    if (this.#waiting > 0 && this.#waiting + task.items > queue) {
      // One error for all whom the same time is told: its stack takes a tenth of a refusal.
      if (this.#busy?.seconds !== this.seconds) this.#busy = new Busy(this.seconds);
      return Promise.reject(this.#busy);
    }
    return new Promise((resolve, reject) => {
      const limit = Math.min(timeout, task.timeout ?? timeout);
      let over = false;
      const giveUp = (reason: () => Error) => {
        if (over) return;
        this.#leave(waiting);
        waiting.settle(reason());
      };
      const timer = setTimeout(() => giveUp(() => new Late(limit)), limit);
      const waiting: Waiting = {
        task,
        since: performance.now(),
        settle: (result) => {
          over = true;
          clearTimeout(timer);
          if (result instanceof Error) reject(result);
          else resolve(result);
        },
      };
      this.#queue.push(waiting);
      this.#waiting += task.items;
      leaving?.(() => giveUp(() => new Gone('The client has gone.')));
      if (task.key === undefined) this.#advance();
      else this.#gather();
    });
  }

  /**
   * Advances once a turn of the event loop has brought no further task: what arrives together runs
   * together, because a run of one image takes nearly as long as one of several.
   */
  #gather(): void {
    if (this.#gathering || this.#idle.length === 0) return; // the end of a run advances
    this.#gathering = true;
    const look = (seen: number) =>
      setImmediate(() => {
        if (this.#waiting > seen && this.#waiting < this.#limits.batch) look(this.#waiting);
        else {
          this.#gathering = false;
          this.#advance();
        }
      });
    look(this.#waiting);
  }

  /** Settles when everything that was submitted is done. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained = resolve;
      this.#advance();
    });
  }

  #leave(waiting: Waiting): void {
    const at = this.#queue.indexOf(waiting);
    if (at < 0) return; // it runs: its answer will find nobody
    this.#queue.splice(at, 1);
    this.#waiting -= waiting.task.items;
    this.#advance();
  }

  #advance(): void {
    clearTimeout(this.#timer);
    while (this.#idle.length > 0) {
      const batch = this.#next();
      if (batch === undefined) break;
      void this.#run(this.#idle.pop() as Worker, batch);
    }
    const done = this.#queue.length === 0 && this.#idle.length === this.#workers;
    if (done) this.#drained?.();
  }

  /** The tasks of the next run; undefined if none is ready. Sets a timer for the first that will be. */
  #next(): Waiting[] | undefined {
    const { batch, delay } = this.#limits;
    const seen = new Set<string>();
    const now = performance.now();
    let soonest = Number.POSITIVE_INFINITY;
    for (const first of this.#queue) {
      const { key, model } = first.task;
      if (key !== undefined) {
        if (seen.has(key)) continue;
        seen.add(key);
      }
      const together = key === undefined ? [first] : this.#sharing(first, model, key);
      const items = together.reduce((sum, { task }) => sum + task.items, 0);
      const left = first.since + delay - now;
      if (key === undefined || items >= batch || left <= 0 || this.#drained) {
        for (const each of together) this.#queue.splice(this.#queue.indexOf(each), 1);
        this.#waiting -= items;
        return together;
      }
      soonest = Math.min(soonest, left);
    }
    if (soonest < Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(() => this.#advance(), Math.ceil(soonest));
    }
    return undefined;
  }

  /** The first task of a key with those that fit into a run with it. */
  #sharing(first: Waiting, model: string, key: string): Waiting[] {
    let room = this.#limits.batch - first.task.items;
    return this.#queue.filter((each) => {
      if (each === first) return true;
      const { task } = each;
      if (task.key !== key || task.model !== model || task.items > room) return false;
      room -= task.items;
      return true;
    });
  }

  async #run(worker: Worker, batch: readonly Waiting[]): Promise<void> {
    const start = performance.now();
    const items = batch.reduce((sum, { task }) => sum + task.items, 0);
    try {
      const { model } = (batch[0] as Waiting).task;
      const results = await worker.run(
        model,
        batch.map(({ task }) => task.job),
      );
      for (const [i, { settle }] of batch.entries()) settle(settled(results[i] as Result));
    } catch (error) {
      for (const { settle } of batch) settle(error as Error);
    }
    const ms = performance.now() - start;
    this.#pace = this.#pace === 0 ? ms / items : (1 - FRESH) * this.#pace + (FRESH * ms) / items;
    this.#watch?.ran(items, ms);
    this.#idle.push(worker);
    this.#advance();
  }
}

const settled = (result: Result): Answer | Error => {
  if ('answer' in result) return result.answer;
  return result.user ? new Refused(result.message) : new Error(result.message);
};
