/** Puts together what coming steps are fed while a step runs, so that none waits for its batch. */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Dataset } from '../data/types.js';
import type { State } from '../engine/types.js';
import type { Recipe } from '../recipe/schema.js';
import { feedsOf, type Part } from './progress.js';

export interface Feeder {
  /** What `count` steps of one phase are fed, from step `step` of the whole training on. */
  feeds(step: number, count: number): Promise<State[]>;
  dispose(): Promise<void>;
}

/** How many calls of the engine are prepared for: with one alone, any hitch of the thread's is waited for. */
export const AHEAD = 2;

/**
 * Reads what a training is fed, from step `from` on. Each call gives what the next steps are fed
 * (after the last, none), and has those after them begun.
 *
 * @param atOnce how many steps to take together from a step on; 0 after the last
 */
export function ahead(
  feeder: Feeder,
  from: number,
  atOnce: (step: number) => number,
): () => Promise<State[]> {
  const asked: Promise<State[]>[] = [];
  let at = from;
  return () => {
    while (asked.length <= AHEAD) {
      const count = atOnce(at);
      if (count === 0) break;
      asked.push(feeder.feeds(at, count));
      at += count;
    }
    return asked.shift() ?? Promise.resolve([]);
  };
}

/** What the thread is told: once, as it starts, and for each answer. */
export interface FeederData {
  readonly recipe: Recipe;
  readonly dataset: Dataset;
}
export interface FeederRequest {
  readonly step: number;
  readonly count: number;
}

// The sources themselves, as unit tests run them, have no file that a thread could run.
const THREAD = new URL('./feeder-thread.js', import.meta.url);

/** Of its heap, for short-lived objects: V8's own limit is some 30 MiB more, and no quicker. */
const HEAP_LIMITS = { maxYoungGenerationSizeMb: 4 };

/**
 * A feeder in a thread of its own. A session keeps the calling thread busy until its run is over,
 * so what that thread began meanwhile would be done only afterwards.
 *
 * @param dataset its images had better be shared: see {@link shareImages}
 * @param parts of the training that `recipe` and `dataset` make
 */
export const openFeeder = (recipe: Recipe, dataset: Dataset, parts: readonly Part[]): Feeder =>
  existsSync(THREAD) ? threaded({ recipe, dataset }) : direct(parts);

/** A feeder that does its work when it is asked to. */
export const direct = (parts: readonly Part[]): Feeder => ({
  feeds: async (step, count) => feedsOf(parts, step, count),
  dispose: async () => {},
});

function threaded(workerData: FeederData): Feeder {
  const worker = new Worker(THREAD, { workerData, resourceLimits: HEAP_LIMITS });
  const waiting: Waiting[] = [];
  let failure: Error | undefined;
  worker.on('message', (feeds: State[]) => waiting.shift()?.resolve(feeds));
  worker.on('error', (error) => {
    failure = error;
    for (const { reject } of waiting.splice(0)) reject(error);
  });
  return {
    feeds(step, count) {
      const request: FeederRequest = { step, count };
      const feeds = new Promise<State[]>((resolve, reject) => {
        if (failure) reject(failure);
        else waiting.push({ resolve, reject });
      });
      // Whoever asked may be busy with a step when this fails; it is told when it looks.
      feeds.catch(() => {});
      worker.postMessage(request);
      return feeds;
    },
    dispose: async () => void (await worker.terminate()),
  };
}

/** For feeds that were asked for. */
interface Waiting {
  resolve(feeds: State[]): void;
  reject(error: Error): void;
}
