/** How fast generators draw: the runtime, bare ONNX Runtime, TF.js and PyTorch in turns. */
import { Generator, latents } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import ort from 'onnxruntime-node';
import { functionOf, generatorFile, SYSTEMS } from './models.mjs';
import { errorOfMedian, inTurns, median, repeatedly } from './timing.mjs';

const BATCHES = [1, 64, 1024];
const ROUNDS = 5;
/** Milliseconds of a round that the runtime and bare ONNX Runtime share; a peer has a quarter. */
const PERIOD = 2000;

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
    });
    const draw = functionOf(system);
    for (const batch of BATCHES) {
      const z = latents(generator.info, batch, 1);
      const shape = [batch, system.latentSize];
      const ours = {
        runtime: () => generator.sample({ latents: z, batchSize: batch }),
        bare: () => bare.run({ x: new ort.Tensor('float32', z, shape) }),
      };
      const wasm = () => tf.tidy(() => draw(tf.tensor2d(z, shape)).dataSync());
      const others = {
        'TF.js wasm': async () => median(await repeatedly(wasm, PERIOD / 4)),
        ...Object.fromEntries(
          peers.map((peer) => [
            peer.name,
            () => peer.milliseconds(system.network, batch, PERIOD / 4),
          ]),
        ),
      };
      rows.push({ system: name, batch, ...(await measure(ours, others, batch)) });
    }
    await generator.dispose();
    await bare.release();
    tf.disposeVariables();
  }
  return rows;
}

async function measure(ours, others, batch) {
  await inTurns(ours, PERIOD / 8); // warms up
  for (const other of Object.values(others)) await other();
  const times = { runtime: [], bare: [] };
  const theirs = Object.fromEntries(Object.keys(others).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    const found = await inTurns(ours, PERIOD);
    for (const side of Object.keys(times)) times[side].push(...found[side]);
    for (const [name, other] of Object.entries(others)) theirs[name].push(await other());
  }
  const [mine, bare] = [median(times.runtime), median(times.bare)];
  // Of neighbours in time, which the rest of the machine's work weighs on alike.
  const over = times.runtime.map((ms, i) => ms - times.bare[i]);
  const row = {
    'images/s': (1000 * batch) / mine,
    'runtime ms': mine,
    'bare ms': bare,
    'overhead µs': 1000 * median(over),
    'overhead %': (100 * median(over)) / bare,
    '± %': (100 * errorOfMedian(over)) / bare,
  };
  for (const [name, found] of Object.entries(theirs)) {
    row[`${name} images/s`] = (1000 * batch) / median(found);
    row[`× ${name}`] = median(found) / mine;
  }
  return row;
}
