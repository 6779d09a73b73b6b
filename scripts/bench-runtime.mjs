/**
 * `npm run bench:runtime`: how fast exported models run, and what the runtime adds to them.
 *
 *   npm run bench:runtime                    tables
 *   npm run bench:runtime -- --json          an object, for programs
 *   npm run bench:runtime -- --peer          PyTorch too, of the Python that PYTHON names, or
 *                                            python3; several are named by --python, once for each
 *   npm run bench:runtime -- --threads 1
 *   npm run bench:runtime -- --only maps     or sampling, or start
 *   npm run bench:runtime -- --busy 2        sampling alone, quiet and beside two processes that burn a
 *                                            processor each, in turns
 *
 * Sampling: `runtime` is `Generator.sample` with given latents in one batch; `bare` is
 * onnxruntime-node's own `run` of the same file, with the same settings, on the same latents. They
 * and their peers (TensorFlow.js on WebAssembly, which has one thread under Node, and PyTorch) take
 * turns round by round, each by itself for a while. Figures are medians over the rounds; the overhead
 * is that of the rounds' differences, with its standard error.
 *
 * Maps: `dense` is `Discriminator.scoreMap` of a 28×28 picture, all in all; the others are bare
 * runs of fragments cut before. The large picture has a process of its own; the peak is its whole
 * memory, Node's included.
 *
 * Start: from the start of a process of `gpn-cli sample` to its end, a PNG of 64 digits being on
 * disk.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { processors } from '@gpn/runtime';
import { busy } from './bench-runtime/busy.mjs';
import { maps } from './bench-runtime/maps.mjs';
import { generatorFile, SYSTEMS } from './bench-runtime/models.mjs';
import { sampling } from './bench-runtime/sampling.mjs';
import { median } from './bench-runtime/timing.mjs';
import { startTorch } from './bench-runtime/torch.mjs';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    peer: { type: 'boolean', default: false },
    python: { type: 'string', multiple: true, default: [] },
    only: { type: 'string' },
    busy: { type: 'string' },
    threads: { type: 'string', default: String(processors()) },
  },
});
const threads = Number(options.threads);

/** Milliseconds from the start of `gpn-cli sample` to its end, again and again. */
function start() {
  const folder = mkdtempSync(join(tmpdir(), 'gpn-bench-'));
  const cli = fileURLToPath(new URL('../cli/bin/gpn-cli.js', import.meta.url));
  writeFileSync(join(folder, 'g.onnx'), generatorFile(SYSTEMS['dcgan-mnist (5)']));
  const times = Array.from({ length: 8 }, () => {
    const from = performance.now();
    const args = [cli, 'sample', '--model', 'g.onnx', '--device', 'cpu'];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return performance.now() - from;
  }).slice(1); // the first warms the disk's cache
  rmSync(folder, { recursive: true });
  return [{ 'gpn-cli sample ms': median(times), least: Math.min(...times) }];
}

const pythons = options.python.length > 0 ? options.python : [process.env.PYTHON ?? 'python3'];
const asked = options.peer || options.python.length > 0;
const peers = asked
  ? await Promise.all(pythons.map((python) => startTorch(python, threads, SYSTEMS)))
  : [];
const PARTS = { sampling, maps, start, busy };
const asWell = ['sampling', 'maps', 'start'];
const parts = options.busy ? ['busy'] : options.only === undefined ? asWell : [options.only];
const result = { threads };
for (const part of parts)
  result[part] = await PARTS[part]({ threads, peers, count: Number(options.busy) });
for (const peer of peers) peer.end();

if (options.json) console.log(JSON.stringify(result, null, 2));
else {
  const short = (value) => (typeof value === 'number' ? Number(value.toPrecision(3)) : value);
  for (const part of parts) {
    console.log(`${part}, ${threads} threads`);
    console.table(
      result[part].map((row) =>
        Object.fromEntries(Object.entries(row).map(([key, value]) => [key, short(value)])),
      ),
    );
  }
}
