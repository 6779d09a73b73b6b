/** In a page: training steps by a ready step's file, timed, or continued from a checkpoint. */
import { openTraining } from '@gpn/training/web';

const bytesAt = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

const open = async ({ step, images, checkpoint, device, threads }) =>
  openTraining({
    ...{ step, device, threads, assets: '/ort', worker: 'worker.js' },
    images: await bytesAt(images),
    ...(checkpoint && { checkpoint: await bytesAt(checkpoint) }),
  });

/** Milliseconds of each of some steps, after one that is not counted, and the last losses. */
globalThis.timed = async ({ steps, ...options }) => {
  const training = await open(options);
  let losses;
  const onProgress = ({ metrics }) => {
    losses = metrics;
  };
  await training.run({ steps: 1 });
  const from = performance.now();
  await training.run({ steps, onProgress });
  const ms = (performance.now() - from) / steps;
  const { reason } = training;
  await training.dispose();
  return { times: [ms], losses, reason };
};

/** The checkpoint after some steps more. */
globalThis.continued = async ({ steps, ...options }) => {
  const training = await open(options);
  await training.run({ steps });
  const bytes = await training.checkpoint();
  await training.dispose();
  return base64(bytes);
};

/** Bytes at moments of a long training: of the page's JavaScript, rubbish collected, and of its process. */
globalThis.remembered = async ({ moments, ...options }) => {
  const training = await open(options);
  const found = [];
  for (const moment of moments) {
    await training.run({ steps: moment - training.step });
    await training.draw({ count: 36, seed: 0 });
    globalThis.gc();
    // The script that opened the page tells what its process holds, its worker included.
    found.push([performance.memory.usedJSHeapSize, await globalThis.held()]);
  }
  await training.dispose();
  return found;
};
