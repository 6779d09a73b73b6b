/** `<gpn-trainer>`, in Chromium. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Generator, stream, withMetadata } from '@gpn/runtime';
import { build } from 'esbuild';
import sharp from 'sharp';
import { expect } from 'vitest';
import { stepFile } from '../../training/src/export/step.js';
import { readStepInfo, STEP_KEY } from '../../training/src/export/step-file.js';
import { recipeToYaml } from '../../training/src/recipe/yaml.js';
import { smallRun } from '../../training/test/small-run.js';
import { root } from '../imports.js';
import { pageOf } from './page.js';

const SHOTS = join(root, 'scratch/screenshots');
/** Steps of the training, and between two checkpoints. */
const [STEPS, EVERY] = [4000, 10];

const PAGE = `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>trainer</title><script type="module" src="trainer.js"></script>
<script>
  window.events = [];
  for (const name of ['load', 'checkpoint', 'done', 'error'])
    addEventListener('gpn-' + name, ({ detail }) => events.push([name, detail.error?.message ?? detail.step ?? detail.device]));
  window.add = (attributes) => {
    document.body.replaceChildren();
    const trainer = document.createElement('gpn-trainer');
    const all = { step: 'step.onnx', data: 'sheet.png', assets: 'ort', device: 'wasm', worker: 'worker.js', every: '${EVERY}', ...attributes };
    for (const [name, value] of Object.entries(all)) trainer.setAttribute(name, value);
    document.body.append(trainer);
    window.trainer = trainer;
  };
  window.text = (selector) => trainer.shadowRoot.querySelector(selector)?.textContent ?? '';
</script><body></body>`;

const { chromium, page } = pageOf(async (folder) => {
  const recipe = await smallRun(join(folder, 'pictures'), STEPS, EVERY);
  const step = stepFile(recipe);
  writeFileSync(join(folder, 'step.onnx'), step);
  const { steps: _, ...training } = recipe.training;
  writeFileSync(
    join(folder, 'short.onnx'),
    stepFile({ ...recipe, training: { ...training, steps: 12 } }),
  );
  writeFileSync(
    join(folder, 'recipe.yml'),
    recipeToYaml({ ...recipe, training: { ...training, steps: 12 } }),
  );
  writeFileSync(join(folder, 'broken.yml'), 'name: [a\n');
  writeFileSync(
    join(folder, 'wrong.yml'),
    recipeToYaml({ ...recipe, training: { ...training, steps: 12 } }).replace(
      'batch_size',
      'batchsize',
    ),
  );
  writeFileSync(
    join(folder, 'own.yml'),
    recipeToYaml({ ...recipe, model: { ...recipe.model, network: './mine.js' } }),
  );
  const later = { ...readStepInfo(step), version: 9 };
  writeFileSync(join(folder, 'later.onnx'), withMetadata(step, STEP_KEY, JSON.stringify(later)));
  const sheet = (across: number, down: number, name: string) =>
    sharp(Uint8Array.from(stream(1, name).below(across * down * 256, 256)), {
      raw: { width: across * 16, height: down * 16, channels: 1 },
    })
      .png()
      .toFile(join(folder, name));
  await sheet(4, 3, 'sheet.png');
  await sheet(2, 1, 'two.png');
  await sharp(new Uint8Array(40 * 40), { raw: { width: 40, height: 40, channels: 1 } })
    .png()
    .toFile(join(folder, 'larger.png'));
  await build({
    entryPoints: { trainer: '@gpn/training/element', worker: '@gpn/runtime/worker' },
    absWorkingDir: root,
    outdir: folder,
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    logLevel: 'error',
    external: ['onnxruntime-web/*'],
  });
  writeFileSync(join(folder, 'index.html'), PAGE);
});

const add = (attributes: Record<string, string> = {}) =>
  page().evaluate(`add(${JSON.stringify(attributes)})`);
const events = (name: string) =>
  page().evaluate<unknown[]>(
    `events.filter(([event]) => event === '${name}').map(([, detail]) => detail)`,
  );
const press = (name: string) => page().getByRole('button', { name, exact: true }).click();
const shown = (selector: string) => page().evaluate<string>(`text('${selector}')`);

chromium('a training runs, draws, and its networks can be kept', async () => {
  await add({ step: 'short.onnx', keep: 'short' });
  await press('Start');
  await expect.poll(() => events('done')).toEqual([12]);
  expect(await shown('.status')).toMatch(/^12 pictures, bent a little in 32 ways · wasm: as asked/);
  expect(await shown('.facts')).toBe('Step 12 of 12');
  const widths = await page().evaluate(
    `[...trainer.shadowRoot.querySelectorAll('canvas')].map(({ width }) => width)`,
  );
  expect(widths).toEqual([101, 101]); // 6 × 16 pixels, with gaps
  await press('Keep it');
  const link = page().getByRole('link', { name: /^dcgan-mnist\.onnx/ });
  const [download] = await Promise.all([page().waitForEvent('download'), link.click()]);
  const generator = await Generator.load(await download.path(), { device: 'cpu' });
  expect(generator.info.training).toMatchObject({ steps: 12, seed: 0 });
  expect((await generator.verify()).ok).toBe(true);
  await generator.dispose();
  expect(await shown('code')).toBe('<gpn-generator src="dcgan-mnist.onnx"></gpn-generator>');
  mkdirSync(SHOTS, { recursive: true });
  await page().screenshot({ path: join(SHOTS, 'trainer.png'), fullPage: true });
});

chromium('a training runs by a recipe, whose step is made in the page', async () => {
  await page().evaluate('events.length = 0');
  await add({ step: '', recipe: 'recipe.yml', keep: 'recipe' });
  await press('Start');
  await expect.poll(() => events('done')).toEqual([12]);
  expect(await shown('.facts')).toBe('Step 12 of 12');
});

chromium('a training whose name changes is kept under the name that it had', async () => {
  await page().evaluate('events.length = 0');
  await add({ keep: 'first' });
  await press('Start');
  await expect.poll(async () => (await events('checkpoint')).length).toBeGreaterThan(0);
  const named = (keep: string) =>
    page().evaluate(`trainer.pause().then(() => trainer.setAttribute('keep', '${keep}'))`);
  await named('second');
  await expect.poll(() => shown('.status')).toBe('');
  expect(await shown('.facts')).toBe('');
  expect(await shown('.main')).toBe('Start');
  await named('first');
  await expect.poll(() => shown('.status')).toMatch(/^Kept by this browser at step \d/);
});

chromium('a reload loses at most what came since the last checkpoint', async () => {
  await page().evaluate('events.length = 0');
  await add({ keep: 'reloaded' });
  await press('Start');
  await expect.poll(async () => (await events('checkpoint')).length).toBeGreaterThan(1);
  const kept = Number((await events('checkpoint')).at(-1));
  const reached = await page().evaluate<number>('trainer.training.step');
  await page().reload();
  await page().waitForFunction('window.add && customElements.get("gpn-trainer")');
  await add({ keep: 'reloaded' });
  await expect.poll(() => shown('.status')).toMatch(/^Kept by this browser at step \d+$/);
  await press('Go on');
  await expect.poll(() => events('load')).toEqual(['wasm']);
  const step = await page().evaluate<number>('trainer.training.step');
  expect(step).toBeGreaterThanOrEqual(kept);
  // Steps run in calls of several, and what is kept is the state after a call.
  console.log(`a reload at step ${reached} went on from a checkpoint at or after ${kept}`);
  await press('Pause');
  await expect.poll(() => page().getByRole('button', { name: 'Start again' }).count()).toBe(1);
});

chromium('a hidden tab is kept at once, and goes on', async () => {
  await add({ keep: 'hidden', every: '100000' });
  await press('Start');
  await expect.poll(() => page().evaluate('trainer.training?.step > 0')).toBe(true);
  const hide = (state: string) =>
    page().evaluate(`
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: '${state}' });
      document.dispatchEvent(new Event('visibilitychange'));`);
  const before = (await events('checkpoint')).length;
  await hide('hidden');
  await expect.poll(async () => (await events('checkpoint')).length).toBe(before + 1);
  const step = await page().evaluate<number>('trainer.training.step');
  await expect.poll(() => page().evaluate(`trainer.training.step > ${step}`)).toBe(true);
  await hide('visible');
});

chromium('removing the element ends its worker, and keeps the training', async () => {
  await expect.poll(() => page().workers().length).toBe(1);
  await page().evaluate('trainer.remove()');
  await expect.poll(() => page().workers().length).toBe(0);
  await add({ keep: 'hidden' });
  await expect.poll(() => shown('.status')).toMatch(/^Kept by this browser at step \d+$/);
});

chromium(
  'a worker that the browser ends is a sentence, and the training goes on from what was kept',
  async () => {
    await page().evaluate('events.length = 0');
    await add({ keep: 'ended' });
    await press('Start');
    await expect.poll(() => events('checkpoint')).not.toEqual([]);
    await page().workers()[0]?.evaluate('close()');
    const sentence = /^step.onnx was stopped: the browser has ended its worker/;
    await expect.poll(() => shown('.status.error')).toMatch(sentence);
    const kept = Number((await events('checkpoint')).at(-1));
    await press('Go on');
    const step = 'trainer.training?.step ?? 0';
    await expect.poll(() => page().evaluate(step)).toBeGreaterThan(kept);
    await page().evaluate('trainer.remove()');
    await expect.poll(() => page().workers().length).toBe(0); // the next test's worker is another
  },
);

const FULL = `
  window.put ??= IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); };`;
const NO_MEMORY = `
  window.compile ??= [WebAssembly.instantiate, WebAssembly.instantiateStreaming];
  WebAssembly.instantiate = WebAssembly.instantiateStreaming = () => Promise.reject(
    new RangeError('WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory for new instance'));`;
const OFFLINE = `
  window.fetched ??= fetch;
  window.fetch = () => Promise.reject(new TypeError('Failed to fetch'));`;
const MENDED = `
  if (window.fetched) window.fetch = fetched;
  if (window.put) IDBObjectStore.prototype.put = put;
  if (window.compile) [WebAssembly.instantiate, WebAssembly.instantiateStreaming] = compile;`;

const sentences: [what: string, attributes: Record<string, string>, RegExp, before?: string][] = [
  ['two pictures', { data: 'two.png' }, /^2 picture.s. are too few to learn from: give 8 at least/],
  ['a step of a later version', { step: 'later.onnx' }, /later version .*: update @gpn.training.$/],
  ['neither step nor recipe', { step: '' }, /^step="" is empty: give .*, or of a recipe/],
  [
    'a recipe that is no YAML',
    { step: '', recipe: 'broken.yml' },
    /^broken.yml, line \d+: this is not valid YAML/,
  ],
  ['a picture as a recipe', { step: '', recipe: 'sheet.png' }, /^sheet.png/],
  ['a wrong key', { step: '', recipe: 'wrong.yml' }, /^wrong.yml, line \d+: .*batchsize/],
  [
    'networks of a file',
    { step: '', recipe: 'own.yml' },
    /mine.js is a file, which a page cannot load/,
  ],
  ['a missing recipe', { step: '', recipe: 'none.yml' }, /none.yml .*404/],
  ['pictures of another size', { data: 'larger.png' }, /^larger.png (?=.*40 × 40)(?=.*16 × 16)/],
  ['a worker without a script', { worker: 'none.js' }, /^The worker could not be started/],
  ['no network', {}, /step.onnx cannot be fetched/, OFFLINE],
  ['no pictures', { data: '' }, /^There is nothing to learn from: choose pictures first.$/],
  ['a missing sheet', { data: 'none.png' }, /^none.png cannot be fetched .the server answers 404./],
  ['a file that is no picture', { data: 'step.onnx' }, /^step.onnx is not a picture/],
  [
    'no WebGPU',
    { device: 'webgpu' },
    /^The device webgpu cannot be used .*needs a browser with WebGPU/,
  ],
  ['a full disk', { step: 'short.onnx' }, /^This browser has no more room for this site/, FULL],
  ['no memory', { worker: 'false' }, /^There is not enough memory for this training/, NO_MEMORY],
];

chromium('what goes wrong is a sentence in the element', async () => {
  for (const [what, attributes, sentence, before = ''] of sentences) {
    await page().evaluate(`${before}; events.length = 0`);
    await add({ keep: what, ...attributes });
    await press('Start');
    await expect.poll(() => shown('.status.error'), { message: what }).toMatch(sentence);
    expect(await events('error'), what).not.toEqual([]);
    await page().evaluate(MENDED);
  }
});

chromium('a full disk does not stop a training', async () => {
  await page().evaluate(`${FULL}; events.length = 0`);
  await add({ step: 'short.onnx', keep: 'full' });
  await press('Start');
  await expect.poll(() => events('done')).toEqual([12]);
  await page().evaluate(MENDED);
});
