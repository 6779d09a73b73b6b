/**
 * Kills commands at drawn moments and runs them again, until they end. What they leave must be, byte
 * for byte and file for file, what they leave if nobody kills them. The packages must be built.
 *
 *   node test/kills/run.mjs [--kills 40] [--seed 1] [--jobs train,series,export,eval] [--at-once 2]
 *
 * The seed draws the moments; what a command does at a moment depends on the machine. Ends with 1 if
 * anything differs, and names the folder in which everything is kept.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stream } from '@gpn/runtime';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const GPN = here('../../cli/bin/gpn-cli.js');
const RECIPE = here('recipe.yml');
const ON_CPU = ['--device', 'cpu', '--threads', '1'];

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '2' },
    jobs: { type: 'string', default: 'train,series,export,eval' },
  },
});

/**
 * What is killed. `prepare` fills the folder in which `args` work; `share` is how often a job is chosen;
 * `most` is the number of kills before the command is left to end.
 */
const JOBS = {
  train: {
    share: 4,
    most: 8,
    prepare: () => {},
    args: (folder) => [GPN, 'train', RECIPE, '--out', join(folder, 'run'), '--resume', ...ON_CPU],
  },
  series: {
    share: 2,
    most: 8,
    prepare: () => {},
    args: (folder) => [here('series.mjs'), RECIPE, join(folder, 'series'), '12', '1', '2', '3'],
  },
  export: {
    share: 4,
    most: 3,
    prepare: (folder) => cpSync(join(trained, 'run'), join(folder, 'run'), { recursive: true }),
    args: (folder) => [
      ...[GPN, 'export', join(folder, 'run'), '--best'],
      ...['--network', 'discriminator', '-o', join(folder, 'run/generator.onnx')],
    ],
  },
  eval: {
    share: 3,
    most: 3,
    prepare: (folder) => copyFileSync(join(trained, 'run/generator.onnx'), join(folder, 'g.onnx')),
    args: (folder) => [
      ...[GPN, 'eval', '--model', join(folder, 'g.onnx'), '--write', '--device', 'cpu'],
      ...['--data', 'mnist', '--samples', '100'],
    ],
  },
};

const base = mkdtempSync(join(tmpdir(), 'gpn-kills-'));
const trained = join(base, 'unbroken-train');

/** Starts a command, and kills it after some milliseconds if it still runs. */
async function start(args, killAfter) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const ended = once(child, 'close');
  if (killAfter !== undefined) {
    await Promise.race([sleep(killAfter), ended]);
    child.kill('SIGKILL');
  }
  const [code, signal] = await ended;
  return { code, killed: signal === 'SIGKILL', errors };
}

function freshFolder(name, job) {
  const folder = join(base, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  job.prepare(folder);
  return folder;
}

/** Every file under a folder with its bytes; of TensorBoard's, which hold the time of day, none. */
const contents = (folder) =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => !/events\.out\.tfevents/.test(name))
      .sort()
      .map((name) => [
        name,
        statSync(join(folder, name)).isFile() ? readFileSync(join(folder, name)) : null,
      ]),
  );

function differences(expected, found) {
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].flatMap((name) => {
    if (!found.has(name)) return [`${name} is missing`];
    if (!expected.has(name)) return [`${name} is left over`];
    const [a, b] = [expected.get(name), found.get(name)];
    return a === b || (a && b && a.equals(b)) ? [] : [`${name} differs`];
  });
}

const chosen = values.jobs.split(',');
const begun = performance.now();

// The unbroken runs: their files are what is expected, their times the range of the moments. The
// first job trains what others work on.
const unbroken = {};
for (const name of new Set(['train', ...chosen])) {
  const folder = freshFolder(`unbroken-${name}`, JOBS[name]);
  const from = performance.now();
  const { code, errors } = await start(JOBS[name].args(folder));
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${errors}`);
  unbroken[name] = { milliseconds: performance.now() - from, files: contents(folder) };
}

const wanted = Number(values.kills);
const lots = chosen.flatMap((name) => Array(JOBS[name].share).fill(name));
const counts = Object.fromEntries(chosen.map((name) => [name, 0]));
const failures = [];
let [kills, compared] = [0, 0];

/** Kills a command until it ends by itself or was killed often enough, and compares what it left. */
async function round(name, worker, random) {
  const [job, { milliseconds, files }] = [JOBS[name], unbroken[name]];
  const folder = freshFolder(`worker-${worker}`, job);
  const moments = [];
  let last;
  do {
    const moment = random.uniform(1, 0, 1)[0] * milliseconds;
    last = await start(job.args(folder), moment);
    if (!last.killed) break;
    moments.push(Math.round(moment));
    counts[name]++;
    if (++kills % 50 === 0) process.stderr.write(`${kills} kills, ${compared} ends compared\n`);
  } while (moments.length < job.most && kills < wanted);
  if (last.killed) last = await start(job.args(folder));
  compared++;
  const wrong =
    last.code === 0
      ? differences(files, contents(folder))
      : [`it ended with ${last.code}: ${last.errors.trim()}`];
  if (wrong.length === 0) return;
  failures.push(`${name} in ${folder}, killed after ${moments.join(', ')} ms: ${wrong.join('; ')}`);
}

async function work(worker) {
  const random = stream(Number(values.seed), 'kills', worker);
  while (kills < wanted && failures.length === 0) {
    await round(lots[random.below(1, lots.length)[0]], worker, random);
  }
}
await Promise.all(Array.from({ length: Number(values['at-once']) }, (_, worker) => work(worker)));

const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
const each = Object.entries(counts).map(([name, count]) => `${count} of ${name}`);
process.stdout.write(
  `${kills} kills (${each.join(', ')}), ${compared} ends compared, ${failures.length} differences, ${minutes} minutes\n`,
);
if (failures.length > 0) {
  process.stderr.write(`${failures.join('\n')}\nEverything is in ${base}\n`);
  process.exitCode = 1;
} else rmSync(base, { recursive: true });
