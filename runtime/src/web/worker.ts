/** What runs in the worker that `worker-host.ts` starts. */
import { serve } from '../session/remote.js';
import { openHere } from './backend.js';

const scope = globalThis as unknown as {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: (event: MessageEvent) => void;
};
const receive = serve(openHere, {
  post: (message, transfer) => scope.postMessage(message, transfer),
});
scope.onmessage = ({ data }) => void receive(data);
