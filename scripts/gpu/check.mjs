/** Checks the GPU of a machine, in the kit of pack.sh; --help says how. */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { environment, inSoftware, python, watchMemory } from './machine.mjs';

const HELP = `./check.sh [--devices cpu,webgpu,cuda] [--out gpu-check] [--minutes 60]
           [--only TEXT] [--loss-steps 20] [--torch-device cuda]

Tries each device: the doctor, every bundled model's certificate, the losses of five recipes beside
the CPU's, images a second, and milliseconds a step, beside PyTorch on the same card where Python has
it (PYTHON names another one than python3). Prints a table, and writes table.md, table.json and, as
they come, results.jsonl to the folder --out. A stage that fails or takes too long does not stop the
others. --only takes the checks whose titles have the text in them. --torch-device cpu measures PyTorch
on the CPU, --torch-device none not at all. Exit code 3 if anything failed.
`;
const LOSSES = ['dcgan-mnist', 'wgan-gp-mnist', 'infogan-mnist', 'began-mnist', 'gpn-mnist'];
const SPEED = ['dcgan-mnist', 'dcgan-64', 'cdcgan-mnist-large'];
/** Relative to the larger of a loss and 1. */
const LOSS_TOLERANCE = 1e-2;

/** How much is done on a GPU, and what a Vulkan driver in software does in bearable time. */
const ON_GPU = { losses: { batch: 64, steps: 20 }, batches: [64, 512], steps: 20, seconds: 180 };
const IN_SOFTWARE = { losses: { batch: 4, steps: 5 }, batches: [2], steps: 1, seconds: 1200 };

const { values: options } = parseArgs({
  options: {
    devices: { type: 'string', default: 'cpu,webgpu,cuda' },
    out: { type: 'string', default: 'gpu-check' },
    minutes: { type: 'string', default: '60' },
    only: { type: 'string', default: '' },
    'loss-steps': { type: 'string' },
    'torch-device': { type: 'string', default: 'cuda' },
    help: { type: 'boolean', default: false },
  },
});
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const devices = options.devices.split(',');
const env = environment(here('../../..'));
const software = devices.includes('webgpu') && inSoftware(env);
const work = software ? IN_SOFTWARE : ON_GPU;
const end = performance.now() + 60_000 * Number(options.minutes);

/** Runs a command with a limit of time; tells why if it fails. */
function run(command, args, more = {}) {
  const left = Math.min(1000 * work.seconds, end - performance.now());
  if (left <= 0) return { failed: `not begun: the ${options.minutes} minutes were over` };
  return new Promise((done) => {
    const child = spawn(command, args, {
      env: { ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, errors, late] = ['', '', false];
    child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, left);
    child.on('error', ({ message }) => done({ failed: message }));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return done({ out });
      const lines = errors.trim().split('\n');
      const said = lines.findLast((line) => /error|:/i.test(line)) ?? lines.at(-1);
      const why = late ? `ended after ${(left / 1000).toFixed(0)} s` : (signal ?? said);
      done({ out, failed: why || `exit code ${code}` });
    });
  });
}

const short = (x) => Number(x.toPrecision(3));
const lastLine = (text) => JSON.parse(text.trim().split('\n').at(-1));
const failure = (why) => ({ text: `failed: ${why}`, ok: false });

async function stage(name, task) {
  // Losses are compared in float32: TF32 has the exponents of it, but ten bits of its 23.
  const exact = name === 'losses' ? { NVIDIA_TF32_OVERRIDE: '0' } : {};
  const memory = task.device === 'cpu' ? undefined : await watchMemory();
  const { out, failed } = await run(
    process.execPath,
    [here('./stages.mjs'), name, JSON.stringify(task)],
    exact,
  );
  const card = await memory?.end();
  if (failed) return failure(failed);
  const result = lastLine(out);
  if (card === undefined) return result;
  return { ...result, text: `${result.text}, ${card} MiB of the card`, card };
}

/** What the doctor finds of each device, by one run for all of them. */
async function doctor() {
  const { out, failed } = await run(process.execPath, [
    here('../../cli/bin/gpn-cli.js'),
    'doctor',
    '--json',
  ]);
  if (!out) return () => failure(failed);
  const { findings } = JSON.parse(out);
  return (device) => {
    const { state, detail } = findings.find(({ name }) => name === device);
    return /^(ok|note)$/.test(state) ? { text: detail, ok: true } : failure(detail);
  };
}

/** A step in PyTorch, where the machine has it. */
async function torch({ name, batch, steps }) {
  const device = options['torch-device'];
  if (device === 'none') return { text: '', ok: true };
  const peer = here(`../../test/peers/${name.replaceAll('-', '_')}.py`);
  const args = ['--device', device, '--batch', String(batch), '--steps', String(steps), '--json'];
  const has = await run(python, ['-c', 'import torch, sys; sys.stderr.write(torch.__version__)']);
  if (has.failed) return { text: 'skipped: no PyTorch here', ok: true };
  const { out, failed } = await run(python, ['-B', peer, ...args]);
  if (failed?.includes('no CUDA device')) return { text: `skipped: ${failed}`, ok: true };
  if (failed) return failure(failed);
  const { msPerStep, torch } = lastLine(out);
  return { text: `${short(msPerStep)} ms (${torch})`, ms: msPerStep, ok: true };
}

/** The worst difference of two runs' losses, relative to the larger of the loss and 1. */
function apart(ours, theirs) {
  const each = ours.flatMap((row, k) =>
    Object.keys(row).map(
      (key) => Math.abs(row[key] - theirs[k][key]) / Math.max(1, Math.abs(theirs[k][key])),
    ),
  );
  return each.reduce((worst, d) => (d <= worst ? worst : d), 0); // a NaN stays
}

/** The losses of a device beside those of the CPU, which are computed first. */
function compared(result, cpu) {
  if (!result.ok) return result;
  if (!cpu?.losses) return failure('no losses of the CPU to compare with');
  const worst = apart(result.losses, cpu.losses);
  const ok = worst <= LOSS_TOLERANCE;
  return { ...result, ok, text: `${ok ? '' : 'failed: '}apart by ${worst.toPrecision(2)}` };
}

/** The rows of the table: a title, and what gives the result of a device. */
async function* rows() {
  let examined;
  yield [
    'doctor',
    async (device) => {
      examined ??= await doctor();
      return examined(device);
    },
  ];
  yield ['certificates', (device) => stage('verify', { device })];
  for (const name of LOSSES) {
    const { batch, steps } = work.losses;
    const task = { name, batch, steps: Number(options['loss-steps'] ?? steps) };
    let cpu;
    yield [
      `${name}: losses, ${task.steps} steps, batch ${task.batch}`,
      async (device) => {
        cpu ??= await stage('losses', { ...task, device: 'cpu' });
        return device === 'cpu'
          ? { ...cpu, text: cpu.ok ? 'computed' : cpu.text }
          : compared(await stage('losses', { ...task, device }), cpu);
      },
    ];
  }
  const drawn = { name: 'dcgan-mnist', batch: work.batches[0], steps: work.steps };
  yield [
    `dcgan-mnist: drawing, batch ${drawn.batch}`,
    (device) => stage('sample', { ...drawn, device }),
  ];
  for (const name of SPEED) {
    for (const batch of work.batches) {
      const task = { name, batch, steps: work.steps };
      yield [
        `${name}: a step, batch ${batch}`,
        (device) => stage('speed', { ...task, device }),
        () => torch(task),
      ];
    }
  }
}

async function check() {
  mkdirSync(options.out, { recursive: true });
  const record = (result) =>
    appendFileSync(join(options.out, 'results.jsonl'), `${JSON.stringify(result)}\n`);
  const columns = [...devices, 'PyTorch'];
  const table = [];
  for await (const [title, on, peer] of rows()) {
    if (!title.includes(options.only)) continue;
    const row = { title };
    for (const column of columns) {
      const result =
        column !== 'PyTorch' ? await on(column) : ((await peer?.()) ?? { text: '', ok: true });
      row[column] = result;
      record({ title, column, ...result });
      if (result.text) console.error(`${title}, ${column}: ${result.text}`);
    }
    table.push(row);
  }
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const note =
    'Vulkan computes in software here, so the check does less: small batches and few steps.';
  const text = [
    ...(software ? [note, ''] : []),
    line(['check', ...columns]),
    line(columns.concat('').map(() => '---')),
    ...table.map((row) => line([row.title, ...columns.map((column) => row[column].text)])),
  ].join('\n');
  writeFileSync(join(options.out, 'table.md'), `${text}\n`);
  writeFileSync(
    join(options.out, 'table.json'),
    `${JSON.stringify({ software, table }, null, 2)}\n`,
  );
  console.log(text);
  if (table.some((row) => columns.some((column) => !row[column].ok))) process.exitCode = 3;
}

if (options.help) process.stdout.write(HELP);
else await check();
