/** In a page: the same step of the same networks on TensorFlow.js, operation by operation. */
import { stream } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { eagerStep } from '../../training/dist/engine/eager.js';
import { ganOf } from '../../training/dist/recipe/gan.js';
import { firstRates } from '../../training/dist/run/progress.js';
import { startingState } from '../../training/dist/steps/state.js';

setWasmPaths('/tfjs/');

/** Milliseconds of each of some steps, after one that is not counted. */
globalThis.tfjs = async ({ recipe, backend, steps, images }) => {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend} here`);
  const { height, width, channels } = recipe.data;
  const bytes = new Uint8Array(await (await fetch(images)).arrayBuffer());
  const count = bytes.length / (height * width * channels);
  const dataset = { name: 'images', hash: '', count, height, width, channels, images: bytes };
  const gan = ganOf(recipe);
  const [phase] = gan.phases;
  const { feeds } = phase.data(dataset);
  const rates = firstRates(recipe, phase);
  const step = eagerStep(phase.step, phase.inputs, { backend, device: backend, reason: '' });
  const random = stream(recipe.training.seed, 'initialization');
  step.load(startingState(gan.state, recipe.model.initialization, random));
  const times = [];
  let losses;
  for (let k = 0; k <= steps; k++) {
    const from = performance.now();
    losses = await step.run({ ...feeds(k), ...rates });
    if (k > 0) times.push(performance.now() - from);
    await globalThis.stepped(); // the page may be given up in the midst of the next
  }
  await step.dispose();
  return { times, losses };
};
