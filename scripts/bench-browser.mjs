/**
 * `npm run bench:browser`: training steps in Chromium beside Node, TensorFlow.js and jax-js, with the same
 * networks, batches and first weights, in turns.
 *
 *   npm run bench:browser                                dcgan-mnist on WebAssembly, with 1 and 4 threads
 *   npm run bench:browser -- --recipe FILE --steps 10 --rounds 5
 *   npm run bench:browser -- --webgpu                    on WebGPU too: in software its first step takes
 *                                                        minutes, because each shader is compiled for it
 *   npm run bench:browser -- --check [--webgpu]          no timing: twenty steps of a small network from
 *                                                        one checkpoint, compared with Node's CPU
 *   npm run bench:browser -- --memory [--webgpu]         no timing: the memory over 2,000 steps; the GPU's
 *                                                        buffers over 200
 *
 *   npm run bench:browser -- --only wasm                 the systems whose names have this
 *
 * Prints steps a second, the median of the rounds, the ratio to Node's CPU with one thread, and the
 * discriminator's loss after the last step, which all share: one with another loss computes something else,
 * and has no speed. Each system has a page of its own,
 * which is given up after --limit seconds (600), and one that computes on a GPU in software after --software
 * seconds (120): if that is in the midst of its steps, those that it took are counted. TensorFlow.js's webgl and webgpu take part if their packages
 * are installed, and can do the step: `npm install --no-save @tensorflow/tfjs-backend-webgl@4.22.0`. Its wasm
 * cannot: it lacks the gradient of a filter. jax-js takes part in `dcgan-mnist` if it is installed:
 * `npm install --no-save @jax-js/jax@0.1.25`.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stream } from '@gpn/runtime';
import { loadDataset, readCheckpoint, resolveRecipe, train } from '@gpn/training';
import sharp from 'sharp';
import { stepFile } from '../training/dist/export/step.js';
import { checkRecipe } from '../training/dist/recipe/check.js';
import { openTraining } from '../training/dist/run/web/index.js';
import { bundle } from './browser/bundle.mjs';
import { openBrowser, WEBGPU } from './browser/chromium.mjs';
import { serve } from './browser/site.mjs';

const { values: options } = parseArgs({
  options: {
    recipe: { type: 'string', default: 'dcgan-mnist' },
    steps: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    limit: { type: 'string', default: '600' },
    software: { type: 'string', default: '120' },
    only: { type: 'string', default: '' },
    webgpu: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
  },
});
const [steps, rounds, limit, software] = ['steps', 'rounds', 'limit', 'software'].map((name) =>
  Number(options[name]),
);
/** What others are compared with, so that it always takes part. */
const NODE = 'Node, CPU, 1 thread';
/** How far losses after a few steps may be apart, as a share: roundings differ. */
const ALIKE = 0.01;
/** Images in the pages: more than a batch. */
const IMAGES = 2000;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const require = createRequire(import.meta.url);

/** A page took too long. */
class Late extends Error {
  /** @param ends when each of its steps ended, in milliseconds */
  constructor(seconds, ends) {
    super(`given up after ${seconds} seconds, in which it ended ${ends.length} step(s)`);
    this.ends = ends;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'gpn-browser-'));
try {
  await bundle(folder, { worker: '@gpn/runtime/worker' });
  await bundlePage('gpn', here('browser/gpn-page.js'));
  if (options.check) await check();
  else if (options.memory) await memory();
  else await compare();
} finally {
  rmSync(folder, { recursive: true });
}

/** Has a page of its own, in a browser of its own, do something. @throws Late if it takes too long */
async function inPage(
  call,
  given,
  { isolated = false, flags = [], page: name = 'gpn.html', seconds = limit } = {},
) {
  const { url, close } = await serve(folder, { isolated });
  const browser = await openBrowser(flags);
  const ends = [];
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Late(seconds, ends)), seconds * 1000);
  });
  const asked = async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    const broken = new Promise((_, reject) => {
      page.once('pageerror', reject);
    });
    broken.catch(() => undefined); // it may come before it is awaited
    await page.exposeFunction('held', () => heldBy(browser));
    await page.exposeFunction('stepped', () => ends.push(performance.now()));
    await page.goto(`${url}/${name}`);
    await Promise.race([page.waitForFunction(`window.${call}`), broken]);
    return page.evaluate(`${call}(${JSON.stringify(given)})`);
  };
  try {
    return await Promise.race([asked(), late]);
  } finally {
    clearTimeout(timer);
    await browser.close();
    close();
  }
}

async function compare() {
  const recipe = resolveRecipe(options.recipe);
  const { images } = await loadDataset(recipe.data.dataset, recipe.data);
  const { height, width, channels } = recipe.data;
  const bytes = images.slice(0, IMAGES * height * width * channels);
  writeFileSync(join(folder, 'images.bin'), bytes);
  writeFileSync(join(folder, 'step.onnx'), stepFile(recipe));
  await bundleTensorFlow();
  const hasJax = installed('@jax-js/jax');
  if (hasJax) await bundlePage('jax', here('browser/jax-page.js'));
  const step = { step: 'step.onnx', images: 'images.bin', steps };
  const how = (device) => ({
    ...(device.startsWith('webg') && { seconds: software }),
    ...(device === 'webgpu' && { flags: WEBGPU }),
  });
  const tfjs = (backend) => [
    'tfjs',
    { recipe, backend, steps, images: 'images.bin' },
    { ...how(backend), page: 'tfjs.html' },
  ];
  const jax = (device, threads) => [
    'jaxjs',
    { recipe, device, threads, steps, images: 'images.bin' },
    { ...how(device), page: 'jax.html', isolated: threads > 1 },
  ];
  const page = (device, threads) => [
    'timed',
    { ...step, device, threads },
    { ...how(device), isolated: threads > 1 },
  ];
  const all = {
    [NODE]: () => inNode(bytes),
    'page, wasm, 1 thread': () => inPage(...page('wasm', 1)),
    'page, wasm, 4 threads': () => inPage(...page('wasm', 4)),
    ...(options.webgpu && { 'page, WebGPU in software': () => inPage(...page('webgpu', 1)) }),
    'TensorFlow.js, cpu': () => inPage(...tfjs('cpu')),
    'TensorFlow.js, wasm': () => inPage(...tfjs('wasm')),
    'TensorFlow.js, webgl in software': () => inPage(...tfjs('webgl')),
    ...(options.webgpu && {
      'TensorFlow.js, webgpu in software': () => inPage(...tfjs('webgpu')),
    }),
    ...(hasJax && {
      'jax-js, wasm, 1 thread': () => inPage(...jax('wasm', 1)),
      'jax-js, wasm, 4 threads': () => inPage(...jax('wasm', 4)),
    }),
    ...(hasJax &&
      options.webgpu && { 'jax-js, webgpu in software': () => inPage(...jax('webgpu', 1)) }),
  };
  const systems = Object.fromEntries(
    Object.entries(all).filter(([name]) => name === NODE || name.includes(options.only)),
  );
  const found = Object.fromEntries(Object.keys(systems).map((name) => [name, []]));
  const failed = {};
  const losses = {};
  const notes = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(systems)) {
      if (failed[name]) continue;
      try {
        const taken = await run();
        const loss = taken.losses.discriminator;
        losses[name] = loss;
        if (!(Math.abs(loss - losses[NODE]) <= ALIKE * Math.abs(losses[NODE]))) {
          throw new Error(`it computes something else: its loss is ${loss.toFixed(4)}`);
        }
        found[name].push(...taken.times);
      } catch (error) {
        const why = error.message.split('\n')[0].replace(/^page\.evaluate: /, '');
        const { ends = [] } = error;
        if (ends.length < 2) failed[name] = why;
        else {
          found[name].push((ends.at(-1) - ends[0]) / (ends.length - 1));
          notes[name] = why;
        }
      }
    }
  }
  const perSecond = (name) => 1000 / median(found[name]);
  console.log(`${recipe.name}, batch ${recipe.training.batch_size}, ${rounds} rounds in turns\n`);
  console.log('| system | steps a second | of Node | loss |\n|---|---|---|---|');
  for (const name of Object.keys(systems)) {
    const cells = failed[name]
      ? [failed[name], '', '']
      : [
          perSecond(name).toFixed(3),
          (perSecond(name) / perSecond(NODE)).toFixed(3),
          losses[name]?.toFixed(4) ?? notes[name],
        ];
    console.log(`| ${[name, ...cells].join(' | ')} |`);
  }
}

/** The same code as in the page, on the CPU. */
async function inNode(images) {
  const step = readFileSync(join(folder, 'step.onnx'));
  const training = await openTraining({ step, images, device: 'cpu', threads: 1 });
  let losses;
  const onProgress = ({ metrics }) => {
    losses = metrics;
  };
  await training.run({ steps: 1 });
  const from = performance.now();
  await training.run({ steps, onProgress });
  const ms = (performance.now() - from) / steps;
  await training.dispose();
  return { times: [ms], losses };
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** A page of a script, which may lie outside the repository. */
async function bundlePage(name, entry) {
  await bundle(folder, { [name]: entry }, { nodePaths: [here('../node_modules')] });
  writeFileSync(
    join(folder, `${name}.html`),
    `<!doctype html><script type="module" src="${name}.js"></script>`,
  );
}

/** TensorFlow.js with our networks and steps. */
async function bundleTensorFlow() {
  const backends = ['webgl', 'webgpu'].filter((name) =>
    installed(`@tensorflow/tfjs-backend-${name}`),
  );
  const entry = join(folder, 'tfjs-entry.js');
  writeFileSync(
    entry,
    [
      `import ${JSON.stringify(here('browser/tfjs-page.js'))};`,
      ...backends.map((name) => `import '@tensorflow/tfjs-backend-${name}';`),
    ].join('\n'),
  );
  await bundlePage('tfjs', entry);
  mkdirSync(join(folder, 'tfjs'));
  cpSync(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), join(folder, 'tfjs'), {
    recursive: true,
  });
}

function installed(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** A small network on a folder of noise, with a checkpoint after twenty steps. */
async function smallRun(length, every) {
  const pictures = join(folder, 'pictures');
  mkdirSync(pictures);
  const random = stream(0, 'pictures');
  for (let n = 0; n < 13; n++) {
    const raw = { width: 16, height: 16, channels: 1 };
    await sharp(Uint8Array.from(random.below(256, 256)), { raw })
      .png()
      .toFile(join(pictures, `${n}.png`));
  }
  const full = resolveRecipe('dcgan-mnist', { steps: length, batchSize: 4, dataset: pictures });
  const latent = { size: 8, distribution: 'uniform' };
  const recipe = checkRecipe({
    ...full,
    data: { ...full.data, height: 16, width: 16 },
    model: { ...full.model, network: 'dcgan', width: 8, latent, spectral_norm: false },
    output: { ...full.output, checkpoint_every: every },
  });
  const { images } = await loadDataset(pictures, recipe.data);
  writeFileSync(join(folder, 'images.bin'), images);
  writeFileSync(join(folder, 'step.onnx'), stepFile(recipe));
  return recipe;
}

async function check() {
  const COUNT = 20;
  const recipe = await smallRun(2 * COUNT, COUNT);
  await train(recipe, { out: join(folder, 'run'), device: 'cpu', threads: 1 });
  const at = (step) => `run/checkpoints/step-${String(step).padStart(6, '0')}.safetensors`;
  const { state: wanted } = await readCheckpoint(join(folder, at(2 * COUNT)));
  for (const device of ['wasm', ...(options.webgpu ? ['webgpu'] : [])]) {
    const given = { step: 'step.onnx', images: 'images.bin', checkpoint: at(COUNT), device };
    const flags = device === 'webgpu' ? WEBGPU : [];
    const text = await inPage('continued', { ...given, threads: 1, steps: COUNT }, { flags });
    const path = join(folder, `${device}.safetensors`);
    writeFileSync(path, Buffer.from(text, 'base64'));
    const { state } = await readCheckpoint(path);
    const far = Math.max(...Object.entries(wanted).map(([name, t]) => apart(state[name], t)));
    console.log(
      `${device}: ${far.toExponential(1)} of a tensor's largest value after ${COUNT} steps`,
    );
  }
}

/** The largest difference, in units of the largest value. */
function apart({ data: found }, { data: wanted }) {
  const largest = wanted.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-12);
  return wanted.reduce((most, x, i) => Math.max(most, Math.abs(x - found[i])), 0) / largest;
}

async function memory() {
  await smallRun(2100, 100);
  const moments = options.webgpu ? [20, 50, 100, 150, 200] : [100, 500, 1000, 1500, 2000];
  const device = options.webgpu ? { device: 'webgpu', worker: false } : { device: 'wasm' };
  const given = { step: 'step.onnx', images: 'images.bin', threads: 1, moments, ...device };
  const gpu = options.webgpu ? WEBGPU : [];
  const flags = ['--enable-precise-memory-info', '--js-flags=--expose-gc', ...gpu];
  const bytes = await inPage('remembered', given, { flags });
  const mebi = (n) => `${(n / 2 ** 20).toFixed(1)} MiB`;
  moments.forEach((moment, i) => {
    const [script, held, gpu, buffers] = bytes[i];
    console.log(
      `after ${moment} steps: ${mebi(script)} of JavaScript, ${mebi(held)} in all` +
        (buffers > 0 ? `, ${mebi(gpu)} in ${buffers} buffers of the GPU` : ''),
    );
  });
}

/** Bytes of memory that the processes of pages hold. */
async function heldBy(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  return processInfo
    .filter(({ type }) => type === 'renderer')
    .reduce((sum, { id }) => sum + residentOf(id), 0);
}

function residentOf(id) {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1];
  return 1024 * Number(kilobytes ?? 0);
}
