/**
 * `npm run bench:train`: how fast a training step is, and how much of the machine it uses.
 *
 *   npm run bench:train                      a table
 *   npm run bench:train -- --json            an array, for programs
 *   npm run bench:train -- --steps 200 --threads 2
 *   npm run bench:train -- --memory          whether memory stays flat over 10,000 small steps;
 *                                            --steps says how many instead
 *   npm run bench:train -- --peer            the same step in PyTorch, in turns with ours, after
 *                                            a check that both compute the same losses (PYTHON
 *                                            names the Python that has torch; else python3)
 *
 * A step is one iteration at the recipe's batch size on real images: the discriminator's and the
 * generator's update. Operations are counted from the networks' tables, so a wasteful graph earns
 * nothing. The peak is the best of 20 products of 1536 × 1536 matrices in the same process, with
 * the same threads, between the timed runs; MFU is achieved over peak.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { spec, trace } from '@gpn/export';
import { openSession, stream } from '@gpn/runtime';
import {
  compile,
  ganOf,
  loadDataset,
  resolveRecipe,
  startingState,
  stepFlops,
} from '@gpn/training';
import * as tf from '@tensorflow/tfjs-core';
import { encodeSafetensors } from '../training/dist/safetensors.js';
import { memory } from './train-memory.mjs';

const RECIPES = ['dcgan-mnist'];
const ROUNDS = 5;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    peer: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    steps: { type: 'string' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const threads = Number(options.threads);
const perRound = Math.ceil(Number(options.steps ?? 100) / ROUNDS);

const median = (xs) => xs.toSorted((a, b) => a - b)[xs.length >> 1];
const rows = [];
if (!options.memory) for (const name of RECIPES) rows.push(await measure(name));

if (options.memory) {
  const measured = await memory({ steps: Number(options.steps ?? 10_000), threads });
  console.log(options.json ? JSON.stringify(measured, null, 2) : asText(measured));
} else if (options.json) {
  console.log(JSON.stringify(rows, null, 2));
} else {
  console.table(
    rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([k, v]) => [
          k,
          typeof v === 'number' ? Number(v.toPrecision(3)) : v,
        ]),
      ),
    ),
  );
}

function asText({ rows, deviation, collected, growth, seconds }) {
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const line = ({ step, rssMiB, heapMiB }) =>
    `step ${String(step).padStart(6)}  ${rssMiB.toFixed(1)} MiB resident, ${heapMiB.toFixed(1)} MiB of it V8's heap`;
  return [
    ...rows.map(line),
    'with the garbage collected:',
    ...collected.map(line),
    `grown by ${percent(growth)}; between collections by at most ${percent(deviation)}; ${seconds.toFixed(0)} s`,
  ].join('\n');
}

async function measure(name) {
  const recipe = resolveRecipe(name);
  const { batch_size: batchSize } = recipe.training;
  const gan = ganOf(recipe);
  const step = await compile(gan.step, gan.specs, { device: 'cpu', threads });
  step.load(
    startingState(gan.pair, gan.optimizer, recipe.model.initialization, stream(0, 'bench')),
  );
  const dataset = await loadDataset(recipe.data.dataset, recipe.data);
  const peak = await sgemm();
  let at = 0;
  const one = async () => {
    const { images, height, width, channels } = dataset;
    const size = batchSize * height * width * channels;
    const shape = [batchSize, height, width, channels];
    const latents = stream(0, 'bench', at).uniform(batchSize * recipe.model.latent.size);
    const { optimizer } = recipe.training;
    const data = images.slice(at * size, (at + 1) * size);
    at = (at + 1) % Math.floor(dataset.count / batchSize);
    const feeds = {
      'batch/images': { dtype: 'uint8', shape, data },
      'noise/latents': {
        dtype: 'float32',
        shape: [batchSize, recipe.model.latent.size],
        data: latents,
      },
      'hyper/generatorRate': scalar(optimizer.generator_lr),
      'hyper/discriminatorRate': scalar(optimizer.discriminator_lr),
    };
    const begun = performance.now();
    await step.run(feeds);
    return performance.now() - begun;
  };
  if (options.peer) await sameLosses(name, gan, step, recipe, dataset);
  for (let i = 0; i < 5; i++) await one();
  const [whole, inside, peaks, peers] = [[], [], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    peaks.push(await peak.best(4));
    for (let i = 0; i < perRound; i++) {
      const begun = performance.now();
      inside.push(await one());
      whole.push(performance.now() - begun);
    }
    if (options.peer) peers.push(pytorch(name, perRound));
  }
  await step.dispose();
  await peak.dispose();
  const msPerStep = median(whole);
  const gflopPerStep = stepFlops(gan.pair, batchSize) / 1e9;
  const peakGflops = Math.max(...peaks);
  return {
    system: name,
    device: `${step.device}, ${threads} threads`,
    msPerStep,
    imagesPerSecond: (batchSize * 1000) / msPerStep,
    gflopPerStep,
    peakGflops,
    mfu: gflopPerStep / (msPerStep / 1000) / peakGflops,
    peakRssMiB: process.resourceUsage().maxRSS / 1024,
    shareOutside: 1 - sum(inside) / sum(whole),
    ...(options.peer && { peerMsPerStep: median(peers), ratioToPeer: msPerStep / median(peers) }),
  };
}

function sum(xs) {
  return xs.reduce((a, b) => a + b, 0);
}

/** Products of 1536 × 1536 matrices: what this machine can do at best. */
async function sgemm() {
  const n = 1536;
  const model = trace(({ a, b }) => tf.matMul(a, b), { a: spec([n, n]), b: spec([n, n]) });
  const session = await openSession(model.toBytes(), { device: 'cpu', threads });
  const matrix = { dtype: 'float32', shape: [n, n], data: new Float32Array(n * n).fill(0.5) };
  return {
    async best(times) {
      let seconds = Number.POSITIVE_INFINITY;
      for (let i = 0; i < times; i++) {
        const begun = performance.now();
        await session.run({ a: matrix, b: matrix });
        seconds = Math.min(seconds, (performance.now() - begun) / 1000);
      }
      return (2 * n ** 3) / seconds / 1e9;
    },
    dispose: () => session.dispose(),
  };
}

/** Three steps on one batch from equal weights: the peer must measure the same training. */
async function sameLosses(name, gan, step, recipe, dataset) {
  const { batch_size: batchSize } = recipe.training;
  const { height, width, channels } = dataset;
  const images = {
    dtype: 'uint8',
    shape: [batchSize, height, width, channels],
    data: dataset.images.slice(0, batchSize * height * width * channels),
  };
  const { size } = recipe.model.latent;
  const data = stream(0, 'peer').uniform(batchSize * size);
  const latents = { dtype: 'float32', shape: [batchSize, size], data };
  const start = startingState(gan.pair, gan.optimizer, 'normal', stream(0, 'peer weights'));
  const stored = Object.entries({ ...start, images, latents }).map(([key, t]) => [
    key,
    { dtype: t.dtype === 'uint8' ? 'U8' : 'F32', shape: [...t.shape], data: t.data },
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'gpn-peer-'));
  const file = join(folder, 'start.safetensors');
  writeFileSync(file, encodeSafetensors(new Map(stored)));
  const theirs = python(name, '--check', file);
  rmSync(folder, { recursive: true });
  step.load(start);
  const { generator_lr, discriminator_lr } = recipe.training.optimizer;
  for (const [discriminator, generator] of theirs) {
    const ours = await step.run({
      'batch/images': images,
      'noise/latents': latents,
      'hyper/generatorRate': scalar(generator_lr),
      'hyper/discriminatorRate': scalar(discriminator_lr),
    });
    const apart = Math.max(
      Math.abs(ours.discriminator / discriminator - 1),
      Math.abs(ours.generator / generator - 1),
    );
    if (apart > 1e-3) throw new Error(`the peer's losses differ from ours by ${apart}`);
  }
}

function pytorch(name, steps) {
  return python(name, '--steps', String(steps), '--threads', String(threads), '--json').msPerStep;
}

/** What the peer of a system prints. */
function python(name, ...args) {
  const file = `../test/peers/${name.replaceAll('-', '_')}.py`;
  const script = fileURLToPath(new URL(file, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.env.PYTHON ?? 'python3', [script, ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the peer ${script} failed: ${stderr}`);
  return JSON.parse(stdout);
}

function scalar(x) {
  return { dtype: 'float32', shape: [], data: Float32Array.of(x) };
}
