/** In a page: training steps by a ready step's file, timed, or continued from a checkpoint. */
import { openTraining } from '@gpn/training/web';

const bytesAt = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

const open = async ({ step, images, checkpoint, device, threads, worker = 'worker.js' }) =>
  openTraining({
    ...{ step, device, threads, assets: '/ort', worker },
    images: await bytesAt(images),
    ...(checkpoint && { checkpoint: await bytesAt(checkpoint) }),
  });

/** Milliseconds of each of some steps, after one that is not counted, and the last losses. */
globalThis.timed = async ({ steps, ...options }) => {
  const training = await open(options);
  let losses;
  const onProgress = ({ metrics }) => {
    losses = metrics;
    void globalThis.stepped();
  };
  await training.run({ steps: 1, onProgress });
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

/**
 * The GPU's buffers that this thread makes.
 * @returns the sizes of those that were neither destroyed nor collected as rubbish, in bytes
 */
function countedBuffers() {
  const made = [];
  const destroyed = new WeakSet();
  const [device, buffer] = [GPUDevice.prototype, GPUBuffer.prototype];
  const { createBuffer } = device;
  const { destroy } = buffer;
  device.createBuffer = function (...given) {
    const one = createBuffer.apply(this, given);
    made.push(new WeakRef(one));
    return one;
  };
  buffer.destroy = function () {
    destroyed.add(this);
    return destroy.apply(this);
  };
  return () =>
    made
      .map((ref) => ref.deref())
      .filter((one) => one && !destroyed.has(one))
      .map(({ size }) => size);
}

/** What a WeakRef has given is kept until the end of its task. */
async function rubbishCollected() {
  await new Promise((resolve) => {
    setTimeout(resolve);
  });
  globalThis.gc();
}

/**
 * Bytes at moments of a long training: of the page's JavaScript, rubbish collected, of its process, and of
 * the GPU's buffers, which are counted where the training has no worker.
 */
globalThis.remembered = async ({ moments, ...options }) => {
  const sizesOfBuffers = options.device === 'webgpu' ? countedBuffers() : () => [];
  const training = await open(options);
  const found = [];
  for (const moment of moments) {
    await training.run({ steps: moment - training.step });
    await training.draw({ count: 36, seed: 0 });
    await rubbishCollected();
    const sizes = sizesOfBuffers();
    const gpu = sizes.reduce((sum, size) => sum + size, 0);
    found.push([performance.memory.usedJSHeapSize, await globalThis.held(), gpu, sizes.length]);
  }
  await training.dispose();
  return found;
};
