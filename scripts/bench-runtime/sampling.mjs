/** How fast generators draw: the runtime, bare ONNX Runtime, TF.js and PyTorch in turns. */
import { Generator, latents } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import ort from 'onnxruntime-node';
import { THREADING } from '../../runtime/dist/node/backend.js';
import { functionOf, generatorFile, SYSTEMS } from './models.mjs';
import { alone, errorOfMedian, inRounds, median, PERIOD } from './timing.mjs';

const BATCHES = [1, 64, 1024];
/** More pixels than this are not drawn in one batch. */
const PIXELS = 1024 * 28 * 28;

/** Rows of a table: a system and a batch each. */
export async function sampling({ threads, peers }) {
  await import('@tensorflow/tfjs-backend-wasm'); // no earlier: TF.js would choose it by itself
  await tf.setBackend('wasm');
  const rows = [];
  for (const [name, system] of Object.entries(SYSTEMS)) {
    const bytes = generatorFile(system);
    const generator = await Generator.load(bytes, { device: 'cpu', threads });
    const bare = await ort.InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      extra: THREADING,
    });
    const draw = functionOf(system);
    const { height, width } = generator.info.image;
    for (const batch of BATCHES.filter((n) => n * height * width <= PIXELS)) {
      const z = latents(generator.info, batch, 1);
      const shape = [batch, system.latentSize];
      const sides = {
        runtime: alone(() => generator.sample({ latents: z, batchSize: batch })),
        bare: alone(() => bare.run({ x: new ort.Tensor('float32', z, shape) })),
        'TF.js wasm': alone(() => tf.tidy(() => draw(tf.tensor2d(z, shape)).dataSync())),
        ...Object.fromEntries(
          peers.map((peer) => [peer.name, () => peer.milliseconds(name, batch, PERIOD)]),
        ),
      };
      rows.push({ system: name, batch, ...(await measure(sides, batch)) });
    }
    await generator.dispose();
    await bare.release();
    tf.disposeVariables();
  }
  return rows;
}

async function measure(sides, batch) {
  const { runtime, bare, ...others } = await inRounds(sides);
  const mine = median(runtime);
  const over = runtime.map((ms, round) => ms - bare[round]);
  const row = {
    'images/s': (1000 * batch) / mine,
    'runtime ms': mine,
    'bare ms': median(bare),
    'overhead µs': 1000 * median(over),
    'overhead %': (100 * median(over)) / median(bare),
    '± %': (100 * errorOfMedian(over)) / median(bare),
  };
  for (const [name, found] of Object.entries(others)) {
    row[`${name} images/s`] = (1000 * batch) / median(found);
    row[`× ${name}`] = median(found) / mine;
  }
  return row;
}
