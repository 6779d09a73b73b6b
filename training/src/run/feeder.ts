/** Prepares the feeds of the next steps while a step runs, so that no step waits for its batch. */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Dataset } from '../data/types.js';
import type { State } from '../engine/types.js';
import { isDefined } from '../recipe/own/networks.js';
import type { Recipe } from '../recipe/schema.js';
import { feedsOf, type Part } from './progress.js';

/** Prepares feeds. */
export interface Feeder {
  /** The feeds of `count` steps of one phase, from step `step` of the whole training on. */
  feeds(step: number, count: number): Promise<State[]>;
  dispose(): Promise<void>;
}

/** Number of engine calls that are prepared ahead. With only one, a short delay would be waited for. */
export const AHEAD = 2;

/**
 * Reads the feeds of a training from step `from` on. Each call returns the feeds of the next steps
 * (none after the last) and starts the preparation of the following ones.
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

/** What the thread is given once, at its start. */
export interface FeederData {
  readonly recipe: Recipe;
  readonly dataset: Dataset;
}
/** What the thread is asked for. */
export interface FeederRequest {
  readonly step: number;
  readonly count: number;
}

// Unit tests run the TypeScript sources, which a thread cannot run.
const THREAD = new URL('./feeder-thread.js', import.meta.url);

/** Heap of the thread for short-lived objects. V8's default takes 30 MiB more and is not faster. */
const HEAP_LIMITS = { maxYoungGenerationSizeMb: 4 };

/**
 * Opens a feeder in a thread of its own. A session keeps the calling thread busy during its run, so
 * work that this thread started meanwhile would be done only afterwards.
 *
 * @param dataset its images should be in shared memory; see `shareImages`
 * @param parts of the training, as `recipe` and `dataset` determine them
 */
export const openFeeder = (recipe: Recipe, dataset: Dataset, parts: readonly Part[]): Feeder =>
  existsSync(THREAD) && !isDefined(recipe.model.network)
    ? threaded({ recipe, dataset })
    : direct(parts);

/** A feeder without a thread, which works when it is asked. */
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
      // The caller may be busy with a step now; it sees the failure when it awaits the feeds.
      feeds.catch(() => {});
      worker.postMessage(request);
      return feeds;
    },
    dispose: async () => void (await worker.terminate()),
  };
}

/** A caller that waits for feeds. */
interface Waiting {
  resolve(feeds: State[]): void;
  reject(error: Error): void;
}
