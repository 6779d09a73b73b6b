/**
 * `npm run bench:runtime`: how fast an exported generator draws, and what the runtime adds to it.
 *
 *   npm run bench:runtime              tables
 *   npm run bench:runtime -- --json    an object, for programs
 *   npm run bench:runtime -- --peer    PyTorch too, in turns with ours (PYTHON names the Python
 *                                      that has torch; else python3)
 *
 * `runtime` is `Generator.sample` with given latents in one batch; `bare` is onnxruntime-node's own
 * `run` of the same file, with the same settings, on the same latents. Both take turns, call by
 * call, and each figure is the median of the calls; the overhead compares the fastest of each. `start` is from the start of a process of `gpn-cli sample`
 * to its end, a PNG of 64 digits being on disk.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { spec, trace } from '@gpn/export';
import { initialize, NETWORKS } from '@gpn/models';
import { Generator, latents, stream, withModelInfo } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import ort from 'onnxruntime-node';

const BATCHES = [1, 64, 1024];
/** Calls of each side before any is counted, and how long both then take turns, in milliseconds. */
const WARM_UP = 5;
const PERIOD = 4000;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    peer: { type: 'boolean', default: false },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const threads = Number(options.threads);

const tensors = (specs, name) => {
  const random = stream(5, name);
  const start = initialize(specs, 'kaiming', (count) => random.normal(count));
  return Object.fromEntries(
    Object.entries(start).map(([key, { shape, data }]) => [key, tf.tensor(data, [...shape])]),
  );
};

/** System 5: the DCGAN's generator, 172,608 parameters. */
function dcgan(z) {
  const { generator } = NETWORKS['dcgan-mnist']({
    latentSize: 16,
    batchNorm: true,
    spectralNorm: false,
  });
  return generator.apply(tensors(generator.params, 'p'), tensors(generator.buffers, 'b'), z, false)
    .y;
}

const scaled = (random, fanIn, fanOut) =>
  random.normal(fanIn * fanOut).map((x) => x / Math.sqrt(fanIn));

/** System 3: a multilayer perceptron, 1,510,032 parameters; batch normalisation is folded in. */
function perceptron(z) {
  const sizes = [100, 128, 256, 512, 1024, 784];
  const random = stream(5, 'mlp');
  const dense = (x, fanIn, fanOut) =>
    tf.add(
      tf.matMul(x, tf.tensor2d(scaled(random, fanIn, fanOut), [fanIn, fanOut])),
      tf.tensor1d(random.normal(fanOut)),
    );
  const last = sizes.length - 2;
  const y = sizes.slice(1).reduce((x, fanOut, i) => {
    const next = dense(x, sizes[i], fanOut);
    return i === last ? tf.tanh(next) : tf.leakyRelu(next, 0.2);
  }, z);
  return tf.reshape(y, [-1, 28, 28, 1]);
}

const SYSTEMS = {
  'dcgan-mnist (5)': { apply: dcgan, size: 16 },
  'gan-mnist (3)': { apply: perceptron, size: 100 },
};

function modelOf({ apply, size }) {
  const { toBytes } = trace(
    ({ z }) => ({ image: apply(z) }),
    { z: spec(['N', size]) },
    { name: 'bench' },
  );
  return withModelInfo(toBytes(), {
    version: 1,
    name: 'bench',
    kind: 'generator',
    input: 'z',
    output: 'image',
    image: { height: 28, width: 28, channels: 1, range: [-1, 1], layout: 'NHWC', color: 'gray' },
    latent: { size, distribution: 'normal' },
  });
}

const median = (xs) => xs.toSorted((a, b) => a - b)[xs.length >> 1];

async function measure(system, bytes, batch) {
  const generator = await Generator.load(bytes, { device: 'cpu', threads });
  const bare = await ort.InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const z = latents(generator.info, batch, 1);
  const sides = {
    runtime: () => generator.sample({ latents: z, batchSize: batch }),
    bare: () => bare.run({ z: new ort.Tensor('float32', z, [batch, z.length / batch]) }),
  };
  const times = { runtime: [], bare: [] };
  // Call by call in turns, so that whatever else the machine does weighs on both alike.
  for (let call = 0, from; from === undefined || performance.now() - from < PERIOD; call++) {
    if (call === WARM_UP) from = performance.now();
    for (const side of call % 2 ? ['bare', 'runtime'] : ['runtime', 'bare']) {
      const start = performance.now();
      await sides[side]();
      if (call >= WARM_UP) times[side].push(performance.now() - start);
    }
  }
  await generator.dispose();
  await bare.release();
  const [ours, theirs] = [median(times.runtime), median(times.bare)];
  return {
    system,
    batch,
    'images/s': (1000 * batch) / ours,
    'runtime ms': ours,
    'bare ms': theirs,
    // Of the fastest calls, which nothing else on the machine has held up.
    'overhead µs': 1000 * (Math.min(...times.runtime) - Math.min(...times.bare)),
    'overhead %': 100 * (Math.min(...times.runtime) / Math.min(...times.bare) - 1),
  };
}

const TORCH = `
import json, sys, time, torch
from torch import nn
threads, slice_ms, batches = int(sys.argv[1]), float(sys.argv[2]), json.loads(sys.argv[3])
torch.set_num_threads(threads)
def block(i, o, k, s, p): return [nn.ConvTranspose2d(i, o, k, s, p, bias=False), nn.BatchNorm2d(o), nn.ReLU()]
dcgan = nn.Sequential(*block(16, 128, 4, 1, 0), *block(128, 64, 4, 2, 1), *block(64, 32, 2, 2, 1), nn.ConvTranspose2d(32, 1, 2, 2, 0, bias=False), nn.Sigmoid())
sizes, layers = [100, 128, 256, 512, 1024, 784], []
for i in range(5):
    layers += [nn.Linear(sizes[i], sizes[i + 1])] + ([nn.BatchNorm1d(sizes[i + 1])] if 0 < i < 4 else []) + [nn.Tanh() if i == 4 else nn.LeakyReLU(0.2)]
mlp = nn.Sequential(*layers)
assert sum(p.numel() for p in dcgan.parameters()) == 172608 and sum(p.numel() for p in mlp.parameters()) == 1510032
rows = []
with torch.no_grad():
    for name, net, shape in (('dcgan-mnist (5)', dcgan, [16, 1, 1]), ('gan-mnist (3)', mlp, [100])):
        net.eval()
        for batch in batches:
            z, n = torch.randn(batch, *shape), 0
            net(z)
            start = time.perf_counter()
            while time.perf_counter() - start < slice_ms / 1000 or n == 0: net(z); n += 1
            rows.append([name, batch, n * batch / (time.perf_counter() - start)])
print(json.dumps({'version': torch.__version__, 'rows': rows}))
`;

/** PyTorch's images per second, for as long on each network and batch as ours. */
function torch() {
  const python = process.env.PYTHON ?? 'python3';
  const args = ['-c', TORCH, String(threads), String(PERIOD / 2), JSON.stringify(BATCHES)];
  const { status, stdout, stderr } = spawnSync(python, args, { encoding: 'utf8' });
  if (status === 0) return JSON.parse(stdout);
  console.error(`${python} cannot run PyTorch: ${stderr.trim().split('\n').at(-1)}`);
  return process.exit(2);
}

/** Milliseconds from the start of `gpn-cli sample` to its end. */
function start(bytes) {
  const folder = mkdtempSync(join(tmpdir(), 'gpn-bench-'));
  const cli = fileURLToPath(new URL('../cli/bin/gpn-cli.js', import.meta.url));
  writeFileSync(join(folder, 'g.onnx'), bytes);
  const times = Array.from({ length: 7 }, () => {
    const from = performance.now();
    const { status, stderr } = spawnSync(
      process.execPath,
      [cli, 'sample', '--model', 'g.onnx', '--device', 'cpu'],
      { cwd: folder, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    return performance.now() - from;
  });
  rmSync(folder, { recursive: true });
  return median(times.slice(1));
}

const files = Object.fromEntries(
  Object.entries(SYSTEMS).map(([name, system]) => [name, modelOf(system)]),
);
const rows = [];
const peers = options.peer ? [torch()] : [];
for (const [system, bytes] of Object.entries(files)) {
  for (const batch of BATCHES) rows.push(await measure(system, bytes, batch));
}
// Before and after ours, and the better of the two: what the machine does changes meanwhile.
if (options.peer) peers.push(torch());
for (const row of rows) {
  const speeds = peers.map(
    ({ rows: found }) =>
      found.find(([name, batch]) => name === row.system && batch === row.batch)[2],
  );
  if (speeds.length === 0) continue;
  row[`PyTorch ${peers[0].version} images/s`] = Math.max(...speeds);
  row['× PyTorch'] = row['images/s'] / Math.max(...speeds);
}
const result = { threads, rows, 'gpn-cli sample ms': start(files['dcgan-mnist (5)']) };

if (options.json) console.log(JSON.stringify(result, null, 2));
else {
  const short = (value) => (typeof value === 'number' ? Number(value.toPrecision(3)) : value);
  console.table(
    rows.map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, short(v)]))),
  );
  console.log(
    `${threads} threads; gpn-cli sample, from its start to a PNG: ${result['gpn-cli sample ms'].toFixed(0)} ms`,
  );
}
