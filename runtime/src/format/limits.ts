/** What a model may take of the machine. */

/** What a model may take. A model with limits gets a worker of its own, which is ended at a limit. */
export interface Limits {
  /** Bytes of memory of the worker in all; 8 GiB by default. In a page: of the model's heap. */
  memory?: number;
  /** Milliseconds for loading, and for each run; ten minutes by default. */
  time?: number;
  /**
   * `bounded`: only operators whose results cannot be larger or take longer than their inputs'
   * shapes say, which every network of this package is made of. `any` by default.
   */
  operators?: 'any' | 'bounded';
}

/** The limits of models in a worker: they end what would never end, and little else. */
export const GENEROUS = { memory: 2 ** 33, time: 600_000, operators: 'any' } as const;

/** Limits for models that strangers send, as to a server. */
export const STRICT = { memory: 2 ** 30, time: 10_000, operators: 'bounded' } as const;
