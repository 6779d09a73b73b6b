/** What runs in the worker that `worker-host.ts` starts. */

import type { OpenOptions } from '../session/ort-session.js';
import { serve } from '../session/remote.js';
import { openHere } from './backend.js';

const scope = globalThis as unknown as {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: (event: MessageEvent) => void;
};

const PAGE = 65_536;

/** ONNX Runtime's heap grows by this function alone; when it fails, so does the allocation. */
function limitHeap(bytes: number): void {
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * PAGE > bytes) throw new RangeError('The limit of memory');
    return grow.call(this, pages);
  };
}

function open(model: Uint8Array, options: OpenOptions) {
  // A model with limits is alone in its worker.
  if (options.limits?.memory !== undefined) limitHeap(options.limits.memory);
  return openHere(model, options);
}

const receive = serve(open, {
  post: (message, transfer) => scope.postMessage(message, transfer),
});
scope.onmessage = ({ data }) => void receive(data);
