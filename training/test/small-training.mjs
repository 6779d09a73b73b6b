/**
 * The program of a child process: trains system 5 (dcgan-mnist) at an eighth of its width, as it
 * is built, and prints the state it came to.
 *
 *   node small-training.mjs --device cpu --steps 5 [--seed 3] [--reload 2]
 *
 * `--reload n`: after n steps the state is read out, and the rest is done by a step compiled anew.
 */
import { parseArgs } from 'node:util';
import { stream } from '@gpn/runtime';
import { compile, ganOf, resolveRecipe, startingState } from '@gpn/training';

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'cpu' },
    steps: { type: 'string', default: '1' },
    seed: { type: 'string', default: '3' },
    reload: { type: 'string' },
  },
});
const [steps, seed] = [Number(values.steps), Number(values.seed)];
const recipe = resolveRecipe('dcgan-mnist', { batchSize: 4, seed });
const gan = ganOf(recipe, 1 / 8);
const [phase] = gan.phases;
const make = () => compile(phase.step, phase.inputs, { device: values.device });
const start = startingState(gan.state, 'normal', stream(seed, 'initialization'));

const images = Uint8Array.from(stream(seed, 'test').uniform(64 * 784, 0, 256));
const data = phase.data({ count: 64, height: 28, width: 28, channels: 1, images });
const rates = Object.entries(phase.rates).map(([name, rate]) => [
  `rates/${name}`,
  { dtype: 'float32', shape: [], data: Float32Array.of(rate) },
]);
const feeds = (k) => ({ ...data.feeds(k), ...Object.fromEntries(rates) });

let compiled = await make();
compiled.load(start);
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
