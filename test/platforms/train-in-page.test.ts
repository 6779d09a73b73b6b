/** A training in Chromium and in Firefox, by WebAssembly, against Node's CPU. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  exportStep,
  loadDataset,
  type Recipe,
  readCheckpoint,
  resolveRecipe,
  type State,
  train,
} from '@gpn/training';
import { build, type Metafile } from 'esbuild';
import { expect, test } from 'vitest';
import { stepFile } from '../../training/src/export/step.js';
import { openTraining } from '../../training/src/run/web/index.js';
import { checkpointIn, smallRun } from '../../training/test/small-run.js';
import { root } from '../imports.js';
import { findFirefox, launchFirefox, NO_FIREFOX } from './firefox.js';
import { pageOf } from './page.js';

/** Steps between checkpoints, and of the whole run. */
const [EVERY, STEPS] = [20, 60];
/** Digits that a GPN learns from. */
const GPN_IMAGES = 200;
/** Largest difference of a tensor, in units of its largest value. */
const CLOSE = 1e-3;

const PAGE = `<!doctype html><title>train</title><script type="module">
import { openTraining } from './train.js';
const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
window.trained = async ({ device, checkpoint, steps, step: file = 'step.onnx', images = 'images.bin' }) => {
  const training = await openTraining({
    step: file,
    images: await bytes(images),
    ...(checkpoint && { checkpoint: await bytes(checkpoint) }),
    device,
    assets: 'ort',
    worker: 'runtime/web/worker.js',
  });
  // What the page does beside: the longest time that it does not answer, in milliseconds.
  let [longest, before] = [0, performance.now()];
  const beat = setInterval(() => {
    longest = Math.max(longest, performance.now() - before);
    before = performance.now();
  }, 1);
  await training.run({ steps });
  clearInterval(beat);
  const saved = await training.checkpoint();
  const step = training.step;
  await training.dispose();
  const base64 = btoa(Array.from(saved, (byte) => String.fromCharCode(byte)).join(''));
  return { step, device: training.device, longest, saved: base64 };
};
</script>`;

let recipe: Recipe;
let metafile: Metafile;
let size: number;

/**
 * Bundles entries into a folder.
 * @returns what they are made of, and the bytes, gzipped: of what the entries load at once, and of all
 */
async function bundled(entryPoints: Record<string, string>, outdir: string) {
  const { metafile, outputFiles } = await build({
    entryPoints,
    absWorkingDir: root,
    outdir,
    bundle: true,
    minify: true,
    splitting: true,
    metafile: true,
    write: false,
    format: 'esm',
    logLevel: 'error',
    external: ['onnxruntime-web/*'],
  });
  const sizes = new Map<string, number>();
  mkdirSync(outdir, { recursive: true });
  for (const { path, contents } of outputFiles) {
    writeFileSync(path, contents);
    sizes.set(relative(root, path), gzipSync(contents, { level: 9 }).length);
  }
  const sum = (paths: Iterable<string>) =>
    [...paths].reduce((all, path) => all + (sizes.get(path) as number), 0);
  return { metafile, size: sum(loadedAtOnce(metafile)), all: sum(sizes.keys()) };
}

/** The files that the entries load before anything is asked for by `import()`. */
function loadedAtOnce({ outputs }: Metafile): Set<string> {
  const seen = new Set<string>();
  const enter = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && !external) enter(next);
    }
  };
  const asked = new Set(
    Object.values(outputs).flatMap(({ imports }) =>
      imports.flatMap(({ kind, path }) => (kind === 'dynamic-import' ? [path] : [])),
    ),
  );
  for (const [path, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint && !asked.has(path)) enter(path);
  }
  return seen;
}

const { chromium, folder, page, url } = pageOf(async (folder) => {
  recipe = await smallRun(join(folder, 'pictures'), STEPS, EVERY);
  const run = join(folder, 'run');
  await train(recipe, { out: run, device: 'cpu' });
  await exportStep(run, join(folder, 'step.onnx'));
  const { images } = await loadDataset(join(folder, 'pictures'), recipe.data);
  writeFileSync(join(folder, 'images.bin'), images);
  ({ metafile, size } = await bundled({ train: '@gpn/training/web' }, folder));
  writeFileSync(join(folder, 'index.html'), PAGE);
});

interface Measured {
  saved: string;
  step: number;
  device: string;
  longest: number;
}

/** Trains in a page from a checkpoint on. @returns the new checkpoint's path, and what was measured */
async function trainedInPage(
  device: string,
  from: number,
  name: string,
  evaluate: (code: string) => Promise<unknown> = (code) => page().evaluate(code),
) {
  const checkpoint = `run/checkpoints/step-${String(from).padStart(6, '0')}.safetensors`;
  return kept(
    name,
    await evaluate(`trained(${JSON.stringify({ device, checkpoint, steps: EVERY })})`),
  );
}

/** Writes the checkpoint of what was measured in a page. */
function kept(name: string, found: unknown) {
  const { saved, ...measured } = found as Measured;
  const path = join(folder, `${name}.safetensors`);
  writeFileSync(path, Buffer.from(saved, 'base64'));
  return { path, ...measured };
}

/** The tensor that differs most: largest difference over largest magnitude. */
function furthest(found: State, wanted: State): { name: string; by: number } {
  expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
  const all = Object.entries(wanted).map(([name, { data }]) => {
    const right = data as Float32Array;
    const other = found[name]?.data as Float32Array;
    const difference = right.reduce(
      (most, x, i) => Math.max(most, Math.abs(x - (other[i] as number))),
      0,
    );
    return { name, by: difference / right.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-12) };
  });
  return all.sort((a, b) => b.by - a.by)[0] as { name: string; by: number };
}

const stateOf = async (path: string): Promise<State> => (await readCheckpoint(path)).state;

test('the entry is small, and knows nothing of Node, TensorFlow.js or recipes', () => {
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.some((path) => path.includes('training/dist/run/web/training.js'))).toBe(true);
  expect(inputs.filter((path) => /tensorflow|zod|yaml|onnx-buf|\/node\//.test(path))).toEqual([]);
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports);
  const external = imported.filter(({ external }) => external).map(({ path }) => path);
  expect(external.filter((path) => !path.startsWith('onnxruntime-web/'))).toEqual([]);
  const step = gzipSync(readFileSync(join(folder, 'step.onnx'))).length;
  console.log(`gzipped: @gpn/training/web ${kilobytes(size)}, the step ${kilobytes(step)}`);
  expect(size).toBeLessThan(40_000);
});

test('the element is small, too', async () => {
  const element = join(folder, 'element');
  const { size } = await bundled({ element: '@gpn/training/element' }, element);
  console.log(`gzipped: @gpn/training/element ${kilobytes(size)}`);
  expect(size).toBeLessThan(45_000);
});

test('with what traces a step in the page it is larger, and still knows nothing of Node', async () => {
  const entries = { train: '@gpn/training/web', trace: '@gpn/training/trace' };
  const { metafile, all } = await bundled(entries, join(folder, 'traced'));
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.some((path) => path.includes('training/dist/export/step.js'))).toBe(true);
  expect(
    inputs.filter((path) => /tfjs-(layers|converter)|\/node\.js$|\/sets\/mnist/.test(path)),
  ).toEqual([]);
  console.log(`gzipped: @gpn/training/web and @gpn/training/trace ${kilobytes(all)}`);
  expect(all).toBeLessThan(350_000);
});

chromium('a step traced in the page has the bytes of the one that Node writes', async () => {
  const text = readFileSync(join(folder, 'run/recipe.yml'), 'utf8');
  const traced = await page().evaluate<string>(`import('./traced/trace.js').then(({ stepOf }) =>
    btoa(Array.from(stepOf(${JSON.stringify(text)}), (byte) => String.fromCharCode(byte)).join('')))`);
  expect(Buffer.from(traced, 'base64').equals(readFileSync(join(folder, 'step.onnx')))).toBe(true);
});

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

chromium('twenty steps in a page by WebAssembly are those of Node’s CPU', async () => {
  const { path, longest, ...rest } = await trainedInPage('wasm', EVERY, 'wasm');
  expect(rest).toEqual({ step: 2 * EVERY, device: 'wasm' });
  const stayed = checkpointIn(join(folder, 'run'), 2 * EVERY);
  const worst = furthest(await stateOf(path), await stateOf(stayed));
  console.log(
    `wasm: largest relative difference ${worst.by.toExponential(1)} (${worst.name}); the page was busy for ${longest.toFixed(0)} ms at most`,
  );
  expect(worst.by, worst.name).toBeLessThan(CLOSE);
});

test('twenty steps in Firefox are those of Node’s CPU', async ({ skip }) => {
  const firefox = findFirefox();
  if (firefox === undefined) return skip(NO_FIREFOX);
  const browser = await launchFirefox(firefox);
  try {
    const page = await browser.newPage();
    await page.goto(`${url()}/index.html`);
    await page.waitForFunction('window.trained');
    const { path, device } = await trainedInPage('wasm', EVERY, 'firefox', (code) =>
      page.evaluate(code),
    );
    expect(device).toBe('wasm');
    const stayed = checkpointIn(join(folder, 'run'), 2 * EVERY);
    const worst = furthest(await stateOf(path), await stateOf(stayed));
    console.log(
      `Firefox, wasm: largest relative difference ${worst.by.toExponential(1)} (${worst.name})`,
    );
    expect(worst.by, worst.name).toBeLessThan(CLOSE);
  } finally {
    await browser.close();
  }
});

chromium('a run goes from Node to the page and back, and ends as one that stayed', async () => {
  const { path } = await trainedInPage('wasm', EVERY, 'moved');
  const back = join(folder, 'back');
  mkdirSync(join(back, 'checkpoints'), { recursive: true });
  copyFileSync(join(folder, 'run/recipe.yml'), join(back, 'recipe.yml'));
  copyFileSync(path, checkpointIn(back, 2 * EVERY));
  const { step } = await train(recipe, { out: back, device: 'cpu', resume: true });
  expect(step).toBe(STEPS);
  const [found, stayed] = [back, join(folder, 'run')].map((out) => checkpointIn(out, STEPS));
  const worst = furthest(await stateOf(found as string), await stateOf(stayed as string));
  console.log(
    `there and back: largest relative difference ${worst.by.toExponential(1)} (${worst.name})`,
  );
  expect(worst.by, worst.name).toBeLessThan(CLOSE);
});

chromium('a GPN takes its turns in a page as under Node', async () => {
  const gpn = resolveRecipe('gpn-mnist', { steps: 2, batchSize: 8 });
  const step = stepFile(gpn);
  const all = (await loadDataset('mnist', gpn.data)).images;
  const images = all.slice(0, GPN_IMAGES * gpn.data.height * gpn.data.width);
  writeFileSync(join(folder, 'gpn.onnx'), step);
  writeFileSync(join(folder, 'gpn.bin'), images);
  const training = await openTraining({ step, images, device: 'cpu', threads: 1 });
  const { steps } = training;
  await training.run();
  const stayed = join(folder, 'gpn-node.safetensors');
  writeFileSync(stayed, await training.checkpoint());
  await training.dispose();
  const given = { device: 'wasm', step: 'gpn.onnx', images: 'gpn.bin', steps };
  const { path, step: reached } = kept(
    'gpn-page',
    await page().evaluate(`trained(${JSON.stringify(given)})`),
  );
  expect(reached).toBe(steps);
  const worst = furthest(await stateOf(path), await stateOf(stayed));
  console.log(
    `GPN, wasm: largest relative difference ${worst.by.toExponential(1)} (${worst.name})`,
  );
  expect(worst.by, worst.name).toBeLessThan(CLOSE);
});
