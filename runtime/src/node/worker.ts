/** What runs in the process that `worker-host.ts` starts. */
import { Worker } from 'node:worker_threads';
import { serve } from '../session/remote.js';
import { openHere } from './backend.js';

/**
 * A thread that ends the process if it takes too much memory, or if the program that started it is
 * gone: the main thread may be in native code and never look.
 */
const WATCH = `
  const { memory, parent } = require('node:worker_threads').workerData;
  setInterval(() => {
    if (process.memoryUsage.rss() > memory || process.ppid !== parent)
      process.kill(process.pid, 'SIGKILL');
  }, 20);
`;

const workerData = { memory: Number(process.argv[2]), parent: process.ppid };
new Worker(WATCH, { eval: true, workerData }).unref();

const receive = serve(openHere, { postMessage: (message) => void process.send?.(message) });
process.on('message', receive);
process.on('disconnect', () => process.exit());
