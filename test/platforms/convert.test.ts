/** The page "Convert" of `npm run demo`, in a browser that can reach nothing else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSession } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import '../../export/src/trace/cpu.js';
import { compare } from '../../export/src/convert/verify.js';
import { artifactsOf, npy, wave, writeModel } from '../../export/test/models-files.js';
import { scratchFolder } from '../cli.js';
import { root } from '../imports.js';
import { findChromium, launch, NO_CHROMIUM, newPage } from './chromium.js';
import { POLICY, serve } from './host.js';

const folder = scratchFolder();
const SHOTS = join(root, 'scratch/screenshots');
const models = join(root, 'export/test/models');
let demo: ChildProcess;
let origin: string;
let browser: Browser | undefined;

beforeAll(async () => {
  const args = ['dcgan-mnist', '--output', join(folder, 'site'), '--port', '0'];
  demo = spawn(process.execPath, [join(root, 'scripts/demo.mjs'), ...args], { cwd: root });
  origin = await new Promise((resolve, reject) => {
    let said = '';
    const hear = (text: Buffer) => {
      said += text;
      const url = /http:\/\/[\d.]+:\d+/.exec(said)?.[0];
      if (url) resolve(url);
    };
    demo.stdout?.on('data', hear);
    demo.stderr?.on('data', hear);
    demo.on('exit', () => reject(new Error(`the demo ended: ${said}`)));
  });
  const path = findChromium();
  if (path !== undefined) browser = await launch(path);
});

afterAll(async () => {
  await browser?.close();
  demo.kill();
  rmSync(folder, { recursive: true, force: true });
});

const chromium = (name: string, body: () => Promise<void>) =>
  test(name, async ({ skip }) => {
    if (browser === undefined) skip(NO_CHROMIUM);
    await body();
  });

/** The page, and what it asks of others than its host. */
async function open(width = 1180): Promise<{ page: Page; astray: string[] }> {
  const page = await newPage(browser as Browser, { viewport: { width, height: 900 } });
  const astray: string[] = [];
  page.on('pageerror', ({ message }) => astray.push(message));
  await page.route(
    (url) => url.protocol.startsWith('http') && url.origin !== origin,
    (route) => {
      astray.push(route.request().url());
      return route.abort();
    },
  );
  await page.goto(`${origin}/convert.html`);
  return { page, astray };
}

const FILES = 'input[type=file]:not([webkitdirectory])';
const FOLDER = 'input[webkitdirectory]';

const choose = (page: Page, name: string, ...files: string[]) =>
  page.setInputFiles(
    FILES,
    files.map((file) => join(models, name, file)),
  );

const WHOLE = ['group1-shard1of1.bin', 'model.json'];

/** Presses the button and waits for the file; its difference from TF.js must be one of rounding. */
async function converted(page: Page): Promise<{ bytes: Uint8Array; said: string }> {
  await page.getByRole('button', { name: 'Convert' }).click();
  const link = page.locator('#download');
  await expect.poll(() => link.isVisible().then(async (there) => there || said(page))).toBe(true);
  const comparison = (await page.locator('#difference').textContent()) ?? '';
  expect(Number(/: (\d\.\de-\d+) of/.exec(comparison)?.[1])).toBeLessThan(1e-5);
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return { bytes: readFileSync(await download.path()), said: comparison };
}

const said = (page: Page) => page.locator('#alert:visible').allTextContents();

test('the page’s own script is small, and the tracer is no part of it', () => {
  const page = readFileSync(join(folder, 'site/convert/page.js'), 'utf8');
  expect(page.length).toBeLessThan(10_000);
  expect(page).not.toMatch(/^import /m);
});

chromium('a layers model becomes a file that gives what Keras gives', async () => {
  const { page, astray } = await open();
  await choose(page, 'keras3-cnn', ...WHOLE);
  await expect.poll(() => page.locator('#inputs').textContent()).toMatch(/float32 \[\?, /);
  const { bytes, said } = await converted(page);
  expect(said).toContain('at batches of 1 and 2');
  expect(await page.locator('#inputs').textContent()).toMatch(/float32 \[N, /);
  const session = await openSession(bytes, { device: 'cpu' });
  const x = npy(join(models, 'keras3-cnn/x.npy'));
  const results = await session.run({ [session.inputNames[0] as string]: x });
  await session.dispose();
  const y = npy(join(models, 'keras3-cnn/y.npy'));
  expect(compare(results[session.outputNames[0] as string], y)).toBeLessThan(1e-5);
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, 'convert.png'), fullPage: true });
  expect(astray).toEqual([]);
});

chromium('it converts under the strictest policy that allows WebAssembly', async () => {
  const host = await serve(join(folder, 'site'), { policy: POLICY });
  try {
    const page = await newPage(browser as Browser);
    await page.goto(`http://127.0.0.1:${host.port}/convert.html`);
    await choose(page, 'keras3-cnn', ...WHOLE);
    await converted(page);
    expect(host.reports).toEqual([]);
  } finally {
    host.close();
  }
});

chromium('a graph model in a folder is converted with the options of the command', async () => {
  const { page, astray } = await open();
  await page.setInputFiles(FOLDER, join(models, 'graph-layernorm'));
  await page.getByText('Options, as of the command').click();
  await page.getByLabel('--opset').selectOption('20');
  await converted(page);
  expect(await page.locator('#download').textContent()).toMatch(/, opset 20$/);
  await page.getByLabel('--outputs').fill('nope');
  await page.getByRole('button', { name: 'Convert' }).click();
  await expect.poll(() => said(page)).toEqual([expect.stringMatching(/"nope"/)]);
  expect(await page.locator('#download').isVisible()).toBe(false);
  expect(astray).toEqual([]);
});

chromium('sizes that a model leaves open are asked for, and may stay free', async () => {
  const { layers } = tfl;
  const conv = layers.conv2d({ inputShape: [null, null, 3], filters: 2, kernelSize: 3, name: 'c' });
  const model = tfl.sequential({ layers: [conv] });
  model.setWeights(
    model.weights.map(({ shape }) => tf.tensor(wave(shape as number[]), shape as number[])),
  );
  mkdirSync(join(folder, 'open'));
  writeModel(join(folder, 'open'), await artifactsOf(model));
  const { page, astray } = await open();
  await page.setInputFiles(FOLDER, join(folder, 'open'));
  const sizes = page.getByLabel('Sizes of c_input');
  await expect.poll(() => sizes.inputValue()).toBe('Nx?x?x3');
  await page.getByRole('button', { name: 'Convert' }).click();
  await expect.poll(() => said(page)).toEqual([expect.stringMatching(/"Nx\?x\?x3", cannot be/)]);
  await sizes.fill('NxHxWx3');
  await converted(page);
  expect(await page.locator('#outputs').textContent()).toContain('[N, H-2, W-2, 2]');
  expect(astray).toEqual([]);
});

const graph = (...ops: { name: string; op: string; input?: string[] }[]) =>
  JSON.stringify({
    format: 'graph-model',
    modelTopology: { node: ops.map((op) => ({ attr: {}, ...op })), versions: {} },
    weightsManifest: [],
  });

const rows: [mistake: string, files: Record<string, string>, sentence: RegExp][] = [
  [
    'a missing file of weights',
    { 'model.json': readFileSync(join(models, 'keras3-dense/model.json'), 'utf8') },
    /^The weight file group1-shard1of1\.bin, which model\.json names, is missing/,
  ],
  [
    'a file of weights that was cut off',
    {
      'model.json': readFileSync(join(models, 'keras3-dense/model.json'), 'utf8'),
      'group1-shard1of1.bin': 'short',
    },
    /^The weight file group1-shard1of1\.bin is truncated: .* should hold 92 bytes and holds 5/,
  ],
  ['no model.json', { 'a.bin': 'x', 'b.bin': 'y' }, /^There is no model\.json among the files/],
  ['an archive', { 'model.zip': 'PK' }, /model\.zip is an archive/],
  ['other JSON', { 'package.json': '{}' }, /^package\.json is not a TF\.js model/],
  ['two models', { 'a.json': '{}', 'b.json': '{}' }, /^There are several models: a\.json, b\.json/],
];

chromium('what is no model is answered by a sentence', async () => {
  const { page } = await open();
  for (const [mistake, files, sentence] of rows) {
    await page.setInputFiles(
      FILES,
      Object.entries(files).map(([name, text]) => ({
        name,
        mimeType: 'application/octet-stream',
        buffer: Buffer.from(text),
      })),
    );
    await expect
      .poll(() => said(page), { message: mistake })
      .toEqual([expect.stringMatching(sentence)]);
    expect(await page.locator('#options').isVisible(), mistake).toBe(false);
  }
});

chromium('an operation without an ONNX form is named, with the reason', async () => {
  const file = join(folder, 'table.json');
  const ops = [
    { name: 'x', op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: {} } } },
    { name: 'words', op: 'StringToHashBucketFast', input: ['x'] },
  ];
  writeFileSync(file, graph(...ops));
  const { page } = await open();
  await page.setInputFiles(FILES, file);
  await expect
    .poll(async () => (await page.locator('#options').isVisible()) || (await said(page)).length > 0)
    .toBe(true);
  if (await page.locator('#options').isVisible()) {
    await page.getByRole('button', { name: 'Convert' }).click();
  }
  await expect.poll(() => said(page)).toEqual([expect.stringMatching(/"words".*text/s)]);
});

chromium('the page is no wider than a phone', async () => {
  const { page } = await open(390);
  await choose(page, 'keras3-cnn', ...WHOLE);
  await converted(page);
  await page.getByText('Options, as of the command').click();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  await page.screenshot({ path: join(SHOTS, 'convert-phone.png'), fullPage: true });
});
