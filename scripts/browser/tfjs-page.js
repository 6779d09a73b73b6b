/** In a page: the same step of the same networks on TensorFlow.js, operation by operation. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { eagerStep } from '../../training/dist/engine/eager.js';
import { givenOf } from './given.js';

setWasmPaths('/tfjs/');

/** Milliseconds of each of some steps, after one that is not counted. */
globalThis.tfjs = async ({ recipe, backend, steps, images }) => {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend} here`);
  const { phase, feeds, start } = await givenOf(recipe, images);
  const step = eagerStep(phase.step, phase.inputs, { backend, device: backend, reason: '' });
  step.load(start);
  const times = [];
  let losses;
  for (let k = 0; k <= steps; k++) {
    const from = performance.now();
    losses = await step.run(feeds(k));
    if (k > 0) times.push(performance.now() - from);
    await globalThis.stepped(); // the page may be given up in the midst of the next
  }
  await step.dispose();
  return { times, losses };
};
