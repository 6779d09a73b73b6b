/** What runs in the worker thread that `worker-host.ts` starts. */
import { parentPort } from 'node:worker_threads';
import { serve } from '../session/remote.js';
import { openHere } from './backend.js';

const port = parentPort;
if (port === null) throw new Error('This file is for a worker thread');
const receive = serve(openHere, {
  post: (message, transfer) => port.postMessage(message, transfer),
});
port.on('message', receive);
