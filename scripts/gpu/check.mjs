/**
 * The stages of check.sh, each in a process of its own with a time-out; their results are written as
 * they come, to results.jsonl.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const LOSSES = ['dcgan-mnist', 'wgan-gp-mnist', 'infogan-mnist', 'began-mnist', 'gpn-mnist'];
const SPEED = ['dcgan-mnist', 'dcgan-64', 'cdcgan-mnist-large'];
/** Chosen before any card was measured; relative to the larger of a loss and 1. */
const LOSS_TOLERANCE = 1e-2;

const { values: options } = parseArgs({
  options: {
    devices: { type: 'string', default: 'cpu,webgpu,cuda' },
    out: { type: 'string', default: 'gpu-check' },
    steps: { type: 'string', default: '20' },
    batches: { type: 'string', default: '64,512' },
    timeout: { type: 'string', default: '120' },
    stage: { type: 'string' },
    device: { type: 'string' },
    name: { type: 'string' },
  },
});
const steps = Number(options.steps);
const script = fileURLToPath(import.meta.url);
const median = (xs) => xs.toSorted((a, b) => a - b)[xs.length >> 1];

const STAGES = {
  /** Every bundled model's certificate. */
  async verify(device) {
    const { pretrainedModels } = await import('@gpn/models/pretrained');
    const { loadModel } = await import('@gpn/runtime');
    const failed = [];
    const models = pretrainedModels();
    for (const { name } of models) {
      try {
        const model = await loadModel(name, { device });
        const { ok } = await model.verify();
        if (!ok) failed.push(name);
        await model.dispose();
      } catch (error) {
        failed.push(`${name}: ${error.message}`);
      }
    }
    return {
      text: `${models.length - failed.length} of ${models.length}`,
      failed,
      ok: failed.length === 0,
    };
  },

  /** The losses of the first steps; the parent compares them with the CPU's. */
  async losses(device, recipe) {
    const { step, feeds } = await training(device, recipe);
    const losses = [];
    for (let k = 0; k < steps; k++) losses.push(await step.run(feeds(k)));
    return { losses, ok: true };
  },

  /** Milliseconds a step, and the memory of the process. */
  async speed(device, name) {
    const [recipe, batch] = name.split('@');
    const { step, feeds } = await training(device, recipe, { batch_size: Number(batch) });
    const given = feeds(0);
    const times = [];
    for (let k = 0; k < steps + 1; k++) {
      const begun = performance.now();
      await step.run(given);
      if (k > 0) times.push(performance.now() - begun);
    }
    const mib = Math.round(process.resourceUsage().maxRSS / 1024);
    return {
      text: `${median(times).toPrecision(3)} ms, ${mib} MiB`,
      ms: median(times),
      mib,
      ok: true,
    };
  },

  /** Images a second at batch 64. */
  async sample(device, name) {
    const { Generator } = await import('@gpn/runtime');
    const generator = await Generator.load(name, { device });
    await generator.sample({ count: 64, seed: 0 });
    const begun = performance.now();
    await generator.sample({ count: 64 * steps, seed: 1 });
    const perSecond = (64_000 * steps) / (performance.now() - begun);
    return { text: `${perSecond.toPrecision(3)} images/s`, perSecond, ok: true };
  },
};

/** The recipe's data, or noise where it wants pictures of the user's own. */
async function dataOf({ data }) {
  const { loadDataset } = await import('@gpn/training');
  const { stream, UserError } = await import('@gpn/runtime');
  const { height, width, channels } = data;
  return loadDataset(data.dataset, data).catch((error) => {
    if (!(error instanceof UserError)) throw error;
    const count = 1024;
    const images = Uint8Array.from(
      stream(0, 'pictures').uniform(count * height * width * channels, 0, 256),
    );
    return { name: 'noise', hash: 'noise', count, height, width, channels, images };
  });
}

/** A recipe's first phase, compiled for a device, with the feeds of its step k. */
async function training(device, name, overrides = {}) {
  const { compile, ganOf, resolveRecipe, startingState } = await import('@gpn/training');
  const { stream } = await import('@gpn/runtime');
  const { partsOf } = await import('../../training/dist/run/progress.js');
  const recipe = resolveRecipe(name, { steps: 1_000_000_000, ...overrides });
  if (overrides.batch_size) recipe.training.batch_size = overrides.batch_size;
  const gan = ganOf(recipe);
  const [phase] = gan.phases;
  const step = await compile(phase.step, phase.inputs, { device });
  step.load(startingState(gan.state, recipe.model.initialization, stream(0, 'check')));
  const [{ data }] = partsOf(gan.phases, await dataOf(recipe));
  const rates = Object.fromEntries(
    Object.entries(phase.rates).map(([key, rate]) => [
      `rates/${key}`,
      { dtype: 'float32', shape: [], data: Float32Array.of(rate) },
    ]),
  );
  return { step, feeds: (k) => ({ ...data.feeds(k), ...rates }) };
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

function inProcess(stage, device, name) {
  const args = [
    script,
    '--stage',
    stage,
    '--device',
    device,
    '--name',
    name,
    '--steps',
    options.steps,
  ];
  const run = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: 1000 * Number(options.timeout),
    killSignal: 'SIGKILL',
  });
  if (run.status === 0) return JSON.parse(run.stdout.trim().split('\n').at(-1));
  const why = run.signal
    ? `ended after ${options.timeout} s`
    : run.stderr
        .trim()
        .split('\n')
        .findLast((l) => /Error|:/.test(l));
  return { text: `failed: ${why}`, ok: false };
}

function check() {
  mkdirSync(options.out, { recursive: true });
  const devices = options.devices.split(',');
  const tasks = [
    ['verify', ''],
    ...LOSSES.map((name) => ['losses', name]),
    ['sample', 'dcgan-mnist'],
    ...SPEED.flatMap((name) =>
      options.batches.split(',').map((batch) => ['speed', `${name}@${batch}`]),
    ),
  ];
  const rows = [];
  for (const [stage, name] of tasks) {
    const row = { stage, name };
    for (const device of devices) {
      const result = inProcess(stage, device, name);
      if (stage === 'losses' && result.ok) {
        const reference = device === 'cpu' ? result : row.cpu;
        const worst = reference?.losses ? apart(result.losses, reference.losses) : Number.NaN;
        result.ok = worst <= LOSS_TOLERANCE;
        result.text = device === 'cpu' ? `${steps} steps` : `apart by ${worst.toPrecision(2)}`;
      }
      row[device] = result;
      appendFileSync(
        join(options.out, 'results.jsonl'),
        `${JSON.stringify({ stage, name, device, ...result })}\n`,
      );
      console.error(`${stage} ${name} on ${device}: ${result.text}`);
    }
    rows.push(row);
  }
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const table = [
    line(['check', ...devices]),
    line(['---', ...devices.map(() => '---')]),
    ...rows.map((row) =>
      line([`${row.stage} ${row.name}`.trim(), ...devices.map((d) => row[d].text)]),
    ),
  ].join('\n');
  writeFileSync(join(options.out, 'table.md'), `${table}\n`);
  writeFileSync(join(options.out, 'table.json'), `${JSON.stringify(rows, null, 2)}\n`);
  console.log(table);
  if (rows.some((row) => devices.some((d) => !row[d].ok))) process.exitCode = 3;
}

if (options.stage)
  console.log(JSON.stringify(await STAGES[options.stage](options.device, options.name)));
else check();
