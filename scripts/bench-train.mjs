/**
 * `npm run bench:train`: how fast a training step is, and how much of the machine it uses.
 *
 *   npm run bench:train                      a table: systems 3, 5, 7-large, GPN's two stages,
 *                                            dcgan-64, and resnet at 32 and 64 pixels
 *   npm run bench:train -- --json            an array, for programs
 *   npm run bench:train -- --system dcgan-mnist --steps 200 --threads 2
 *   npm run bench:train -- --together 1      so many steps in a call of onnxruntime, in place of as
 *                                            many as a training takes at once
 *   npm run bench:train -- --memory          whether memory stays flat over 10,000 small steps;
 *                                            --steps says how many instead
 *   npm run bench:train -- --peer            the same step in PyTorch, in turns with ours, after
 *                                            a check that both compute the same losses (PYTHON
 *                                            names the Python that has torch; else python3)
 *
 *   npm run bench:train -- --busy 2          quiet, and beside two processes that burn a processor each,
 *                                            in turns; `ofFairShare` is the speed beside them over
 *                                            what an even division of the processors would leave
 *
 * A step is one iteration at the recipe's batch size on real images (noise for a recipe that
 * wants a folder), on as many threads as in a
 * training unless --threads says how many. Operations are counted from the networks' tables, so a
 * wasteful graph earns nothing, and what minimal filtering need not multiply counts as done. The peak is
 * the best of 20 products of 1536 × 1536 matrices in the same process, with the same threads, between
 * the timed runs; MFU is achieved over peak. An epoch is as many steps as show every image once, each
 * at the median. `shareOutside` is the share of a step's time in which it waits for its batch, which a
 * thread of its own puts together while the steps before it run, as in a training. Every row is
 * measured in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { spec, trace } from '@gpn/export';
import { openSession, stream } from '@gpn/runtime';
import { compile, ganOf, loadDataset, resolveRecipe, startingState } from '@gpn/training';
import * as tf from '@tensorflow/tfjs-core';
import { shareImages } from '../training/dist/data/images.js';
import { threadsFor } from '../training/dist/engine/compiled.js';
import { encodeSafetensors } from '../training/dist/files/safetensors.js';
import { AHEAD, ahead, openFeeder } from '../training/dist/run/feeder.js';
import { stepsAtOnce } from '../training/dist/run/pace.js';
import { firstRates, partsOf } from '../training/dist/run/progress.js';
import { burners, fairShare } from './burners.mjs';
import { memory } from './train-memory.mjs';

const RECIPES = [
  ...['gan-mnist', 'dcgan-mnist', 'cdcgan-mnist-large', 'gpn-mnist'],
  ...['dcgan-64', 'resnet-32', 'resnet-64'],
];
/** Systems that are no recipes: the networks and losses of resnet-mnist for colour pictures of these sides. */
const SIDES = { 'resnet-32': 32, 'resnet-64': 64 };
const ROUNDS = 5;
/** Long enough for V8 to have compiled what puts batches together. */
const WARM_UP_MS = 2000;
/** So many steps that no phase, and no round of one, ends. */
const ENDLESS = 1_000_000_000;
/** A step that is heavier is timed fewer times. */
const HEAVY_GFLOP = 10;
/** Inputs of a step that are learning rates. */
const LEARNING_RATES = new Set(['rates/discriminator', 'rates/generator']);

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    peer: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    steps: { type: 'string' },
    system: { type: 'string' },
    phase: { type: 'string' },
    together: { type: 'string' },
    threads: { type: 'string' },
    busy: { type: 'string', default: '0' },
  },
});
const asked = options.threads && Number(options.threads);
const median = (xs) => xs.toSorted((a, b) => a - b)[xs.length >> 1];
const sum = (xs) => xs.reduce((a, b) => a + b, 0);
const mean = (xs) => sum(xs) / xs.length;

if (options.memory) {
  const measured = await memory({ steps: Number(options.steps ?? 10_000), threads: asked });
  console.log(options.json ? JSON.stringify(measured, null, 2) : asText(measured));
} else if (options.phase) {
  console.log(JSON.stringify(await measure(options.system, options.phase)));
} else {
  const rows = (options.system ? [options.system] : RECIPES).flatMap((system) =>
    ganOf(recipeOf(system)).phases.map((phase) => inProcess(system, phase.name)),
  );
  if (options.json) console.log(JSON.stringify(rows, null, 2));
  else console.table(rows.map(rounded));
}

function rounded(row) {
  const short = (v) =>
    typeof v === 'number'
      ? Number(v.toPrecision(3))
      : Array.isArray(v)
        ? v.map(short).join(' ')
        : v;
  return Object.fromEntries(Object.entries(row).map(([name, v]) => [name, short(v)]));
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

/** A row, measured in a process of its own: its peak memory is no other's. */
function inProcess(system, phase) {
  const script = fileURLToPath(import.meta.url);
  const given = ['steps', 'threads', 'together', 'busy'].flatMap((name) =>
    options[name] === undefined ? [] : [`--${name}`, options[name]],
  );
  const peer = options.peer && existsSync(peerOf(system)) ? ['--peer'] : [];
  const args = [script, '--system', system, '--phase', phase, ...given, ...peer];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${system} could not be measured`);
  return JSON.parse(stdout);
}

async function measure(system, phaseName) {
  const recipe = recipeOf(system);
  const gan = ganOf(recipe);
  const phase = gan.phases.find(({ name }) => name === phaseName);
  const gflopPerStep = phase.flops / 1e9;
  const threads = asked ?? threadsFor(phase.flops, phase.inputs);
  const step = await compile(phase.step, phase.inputs, {
    device: 'cpu',
    threads,
  });
  const start = startingState(gan.state, recipe.model.initialization, stream(0, 'bench'));
  step.load(start);
  const dataset = shareImages(await imagesOf(recipe));
  const parts = partsOf(gan.phases, dataset);
  const { data, from } = parts.find((part) => part.phase === phase);
  const feeder = openFeeder(recipe, dataset, parts);
  const rates = firstRates(recipe, phase);
  if (options.peer) await sameLosses(system, step, start, data.feeds(0), rates);
  const peak = await sgemm(threads);
  const [whole, inside, besides, peaks, peers, ratios] = [[], [], [], [], [], []];
  const others = burners(Number(options.busy));
  let together = 1;
  const next = ahead(feeder, from, () => together);
  const some = async () => {
    const begun = performance.now();
    const feeds = (await next()).map((each) => ({ ...each, ...rates }));
    const running = performance.now();
    await step.runAll(feeds);
    const done = performance.now();
    const count = feeds.length;
    return { whole: (done - begun) / count, inside: (done - running) / count };
  };
  /** What is ready has had more time than it has between calls. */
  const useUp = async () => {
    for (let i = 0; i <= AHEAD; i++) await some();
  };
  const heavy = gflopPerStep > HEAVY_GFLOP;
  const warm = performance.now();
  while (performance.now() - warm < WARM_UP_MS) {
    const { whole: ms } = await some();
    together = Number(options.together ?? stepsAtOnce(1000 / ms));
  }
  await useUp();
  const perRound = Math.ceil(Number(options.steps ?? (heavy ? 10 : 100)) / ROUNDS / together);
  for (let round = 0; round < ROUNDS; round++) {
    peaks.push(await peak.best(4));
    await useUp();
    const times = [];
    for (let i = 0; i < perRound; i++) times.push(await some());
    whole.push(...times.map((t) => t.whole));
    inside.push(...times.map((t) => t.inside));
    if (others.count > 0) {
      others.burn();
      await useUp();
      for (let i = 0; i < perRound; i++) besides.push((await some()).whole);
      others.rest();
    }
    if (!options.peer) continue;
    peers.push(pytorch(system, perRound * together, threads));
    ratios.push(median(times.map((t) => t.whole)) / peers.at(-1).msPerStep);
  }
  others.end();
  await feeder.dispose();
  await step.dispose();
  await peak.dispose();
  const msPerStep = median(whole);
  const peakGflops = Math.max(...peaks);
  return {
    system: gan.phases.length > 1 ? `${system}, ${phaseName}` : system,
    device: step.rounding,
    together,
    msPerStep,
    ...(others.count > 0 && {
      busyMsPerStep: mean(besides),
      ofFairShare: mean(whole) / mean(besides) / fairShare(threads, others.count),
    }),
    imagesPerSecond: (recipe.training.batch_size * 1000) / msPerStep,
    gflopPerStep,
    peakGflops,
    mfu: gflopPerStep / (msPerStep / 1000) / peakGflops,
    ...(Number.isFinite(data.stepsPerEpoch) && {
      secondsPerEpoch: (data.stepsPerEpoch * msPerStep) / 1000,
    }),
    peakRssMiB: process.resourceUsage().maxRSS / 1024,
    shareOutside: 1 - sum(inside) / sum(whole),
    ...(options.peer && {
      peer: `PyTorch ${peers[0].torch}`,
      peerMsPerStep: median(peers.map((p) => p.msPerStep)),
      ratioToPeer: median(ratios),
      ratios,
    }),
  };
}

function recipeOf(system) {
  const side = SIDES[system];
  const recipe = resolveRecipe(side ? 'resnet-mnist' : system, { steps: ENDLESS });
  if (!side) return recipe;
  const { generator_average: _, average_ramp: __, ...training } = recipe.training;
  const data = { ...recipe.data, dataset: 'noise', height: side, width: side, channels: 3 };
  return { ...recipe, data, training };
}

/** The data of a recipe; for one that wants a folder of the user's, noise in the size of its images. */
function imagesOf({ data, training }) {
  if (['mnist', 'fashion'].includes(data.dataset)) return loadDataset(data.dataset, data);
  const { height, width, channels } = data;
  const count = 4 * training.batch_size;
  const images = Uint8Array.from(
    stream(0, 'bench images').below(count * height * width * channels, 256),
  );
  return { name: 'noise', hash: '', count, height, width, channels, images };
}

/** Products of 1536 × 1536 matrices: what this machine can do at best. */
async function sgemm(threads) {
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

function tenthOf(rate) {
  return { ...rate, data: rate.data.map((x) => x / 10) };
}

/**
 * Three steps on one batch from equal weights: the peer must measure the same training. At a tenth of
 * the learning rates, as there, so that rounding does not decide where Adam's first update goes.
 */
async function sameLosses(system, step, start, feeds, rates) {
  const given = {
    ...start,
    images: feeds['batch/images'],
    latents: feeds['noise/latents'],
    ...(feeds['batch/labels'] && { labels: feeds['batch/labels'] }),
  };
  const stored = Object.entries(given).map(([name, { dtype, shape, data }]) => [
    name,
    { dtype: dtype === 'uint8' ? 'U8' : 'F32', shape: [...shape], data },
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'gpn-peer-'));
  const file = join(folder, 'start.safetensors');
  writeFileSync(file, encodeSafetensors(new Map(stored)));
  const theirs = python(system, '--check', file);
  rmSync(folder, { recursive: true });
  step.load(start);
  const slower = Object.fromEntries(
    Object.entries(rates).map(([name, rate]) => [
      name,
      LEARNING_RATES.has(name) ? tenthOf(rate) : rate,
    ]),
  );
  for (const [discriminator, generator] of theirs) {
    const ours = await step.run({ ...feeds, ...slower });
    const apart = Math.max(
      Math.abs(ours.discriminator / discriminator - 1),
      Math.abs(ours.generator / generator - 1),
    );
    // Not `>`, which a NaN would pass.
    if (!(apart <= 1e-3)) throw new Error(`the peer's losses differ from ours by ${apart}`);
  }
  step.load(start);
}

function pytorch(system, steps, threads) {
  return python(system, '--steps', String(steps), '--threads', String(threads), '--json');
}

function peerOf(system) {
  return fileURLToPath(new URL(`../test/peers/${system.replaceAll('-', '_')}.py`, import.meta.url));
}

/** What the peer of a system prints. */
function python(system, ...args) {
  const command = process.env.PYTHON ?? 'python3';
  const run = spawnSync(command, ['-B', peerOf(system), ...args], { encoding: 'utf8' });
  if (run.status === 0) return JSON.parse(run.stdout);
  throw new Error(
    spawnSync(command, ['-c', 'import torch']).status === 0
      ? `the peer of ${system} failed: ${run.stderr}`
      : `--peer needs PyTorch: \`${command} -c "import torch"\` fails. PYTHON names another Python.`,
  );
}
