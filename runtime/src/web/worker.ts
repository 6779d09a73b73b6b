/** What runs in the worker that `worker-host.ts` starts. */

import type { OpenOptions } from '../session/ort-session.js';
import { serve } from '../session/remote.js';
import { openHere } from './backend.js';

const scope = globalThis as unknown as {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onmessage: (event: MessageEvent) => void;
};

async function open(model: Uint8Array, options: OpenOptions) {
  const memory = options.limits?.memory;
  if (memory) (await import('./heap.js')).limitHeap(memory);
  return openHere(model, options);
}

const receive = serve(open, scope);
scope.onmessage = ({ data }) => void receive(data);

// A lock that is held as long as the worker lives: nothing else tells the page that a browser has ended it.
// A page without locks, which is one that came over plain HTTP, waits for the limit of time.
const lock = `gpn-${Math.random()}`;
navigator.locks?.request(lock, () => {
  scope.postMessage({ lock });
  return new Promise(() => undefined);
});
