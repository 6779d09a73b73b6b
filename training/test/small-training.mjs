/**
 * The program of a child process: trains system 5 (dcgan-mnist) at an eighth of its width, as it
 * is built, and prints the state it came to.
 *
 *   node small-training.mjs --device cpu --steps 5 [--seed 3] [--reload 2]
 *
 * `--reload n`: after n steps the state is read out, and the rest is done by a step compiled anew.
 */
import { parseArgs } from 'node:util';
import { NETWORKS } from '@gpn/models';
import { stream } from '@gpn/runtime';
import { adam, compile, LOSSES } from '@gpn/training';
import { ganSpecs, startingState } from '../dist/state.js';
import { adversarialStep } from '../dist/steps/adversarial.js';

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'cpu' },
    steps: { type: 'string', default: '1' },
    seed: { type: 'string', default: '3' },
    reload: { type: 'string' },
  },
});
const [steps, seed] = [Number(values.steps), Number(values.seed)];
const [batchSize, latentSize] = [4, 16];

const optimizer = adam({ beta1: 0.5, beta2: 0.99 });
const networks = { latentSize, batchNorm: true, spectralNorm: true, width: 1 / 8 };
const pair = NETWORKS['dcgan-mnist'](networks);
const step = adversarialStep({
  ...pair,
  loss: LOSSES.modified,
  optimizer,
  labelSmoothing: 0.1,
  range: [0, 1],
});
const specs = ganSpecs(pair, optimizer, { batchSize, latentSize });
const make = () => compile(step, specs, { device: values.device });

const float = (data, shape) => ({ dtype: 'float32', shape, data });
const feeds = (i) => {
  const random = stream(seed, 'test', i);
  const pixels = Uint8Array.from(random.uniform(batchSize * 784, 0, 256));
  return {
    'batch/images': { dtype: 'uint8', shape: [batchSize, 28, 28, 1], data: pixels },
    'noise/latents': float(random.uniform(batchSize * latentSize), [batchSize, latentSize]),
    'hyper/generatorRate': float(Float32Array.of(2e-4), []),
    'hyper/discriminatorRate': float(Float32Array.of(5e-4), []),
  };
};

let compiled = await make();
compiled.load(startingState(pair, optimizer, 'normal', stream(seed, 'initialization')));
const losses = [];
for (let i = 0; i < steps; i++) {
  if (i === Number(values.reload)) {
    const state = compiled.state();
    await compiled.dispose();
    compiled = await make();
    compiled.load(state);
  }
  losses.push(await compiled.run(feeds(i)));
}
const bytes = ({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const state = Object.fromEntries(
  Object.entries(compiled.state()).map(([name, tensor]) => [
    name,
    bytes(tensor).toString('base64'),
  ]),
);
const text = JSON.stringify({ device: compiled.device, losses, state });
// Some drivers in software crash at exit, once the answer is safe.
process.stdout.write(text, () => process.exit(0));
