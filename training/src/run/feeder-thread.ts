/** The thread that `feeder.ts` starts. */
import { parentPort, workerData } from 'node:worker_threads';
import { ganOf } from '../recipe/gan.js';
import type { FeederData, FeederRequest } from './feeder.js';
import { feedsOf, partsOf } from './progress.js';

const { recipe, dataset } = workerData as FeederData;
const parts = partsOf(ganOf(recipe).phases, dataset);

parentPort?.on('message', ({ step, count }: FeederRequest) => {
  const feeds = feedsOf(parts, step, count);
  const buffers = feeds.flatMap((each) => Object.values(each).map(({ data }) => data.buffer));
  parentPort?.postMessage(feeds, buffers as ArrayBuffer[]);
});
