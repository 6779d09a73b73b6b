/** `gpn-cli export-web`: a folder that works by itself, in a browser that can reach nothing else. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Site, serveFolder } from '../../cli/src/web/site.js';
import { conditionalFile } from '../../runtime/test/tiny.js';
import { gpn, listing, scratchFolder } from '../cli.js';
import { root } from '../imports.js';
import { findChromium, launch, NO_CHROMIUM, newPage } from './chromium.js';
import { exported, fragmentJudge } from './model.js';

const folder = scratchFolder();
const SHOTS = join(root, 'scratch/screenshots');
const run = (...args: string[]) => gpn(folder, 'export-web', ...args);
let browser: Browser | undefined;
let single: Site;
let many: Site;

beforeAll(async () => {
  for (const role of ['generator', 'discriminator'] as const) {
    writeFileSync(join(folder, `${role}.onnx`), await exported(role));
  }
  const { code, stderr } = run(
    'generator.onnx',
    'discriminator.onnx',
    '-o',
    'site',
    '--title',
    'A <b>title</b>',
  );
  expect(code, stderr).toBe(0);
  single = await serveFolder(join(folder, 'site'));
  writeFileSync(join(folder, 'both.onnx'), conditionalFile(['flat', 'edgy', 'round']));
  writeFileSync(join(folder, 'fragments.onnx'), await fragmentJudge(6, 4));
  const models = ['generator', 'both', 'discriminator', 'fragments'].map((name) => `${name}.onnx`);
  const gallery = run(...models, '-o', 'many');
  expect(gallery.code, gallery.stderr).toBe(0);
  many = await serveFolder(join(folder, 'many'));
  const path = findChromium();
  if (path !== undefined) browser = await launch(path);
});

afterAll(async () => {
  await browser?.close();
  single?.close();
  many?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A page that may talk to the folder's host alone; what else it asks for is told. */
async function open(
  name: string,
  { site = single, width = 1180 }: { site?: Site; width?: number } = {},
): Promise<{ page: Page; astray: string[] }> {
  const page = await newPage(browser as Browser, { viewport: { width, height: 900 } });
  const astray: string[] = [];
  page.on('pageerror', ({ message }) => astray.push(message));
  page.on('response', (response) => {
    if (!response.ok()) astray.push(`${response.status()} ${response.url()}`);
  });
  await page.route(
    (url) => url.protocol.startsWith('http') && url.origin !== site.url,
    (route) => {
      astray.push(route.request().url());
      return route.abort();
    },
  );
  await page.goto(`${site.url}/${name}`);
  return { page, astray };
}

const chromium = (name: string, body: () => Promise<void>) =>
  test(name, async ({ skip }) => {
    if (browser === undefined) skip(NO_CHROMIUM);
    await body();
  });

test('an exported folder holds pages, scripts, ONNX Runtime and the models', () => {
  const files = listing(join(folder, 'site'));
  expect(files).toEqual(
    expect.arrayContaining([
      ...['index.html', 'score.html', 'style.css', 'page.js'],
      ...['gpn/elements/index.js', 'gpn/web/worker.js'],
      ...['ort/ort.wasm.bundle.min.js', 'ort/ort-wasm-simd-threaded.wasm'],
      ...['models/platform-generator.onnx', 'models/platform-generator-poster.png'],
      'models/platform-discriminator-example.png',
    ]),
  );
  expect(files.filter((file) => /webgpu|node\.js|\.map$/.test(file))).toEqual([]);
  const page = readFileSync(join(folder, 'site/index.html'), 'utf8');
  expect(page).toContain('A &lt;b&gt;title&lt;/b&gt;');
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
});

chromium('an exported page draws, and its fields and the element agree', async () => {
  const { page, astray } = await open('index.html');
  const canvas = page.locator('gpn-generator canvas');
  const label = () => canvas.getAttribute('aria-label');
  await expect.poll(label).toBe('36 images drawn by platform-generator, seed 7');
  await page.getByRole('spinbutton', { name: 'Seed' }).fill('12');
  await page.getByRole('combobox', { name: 'Images' }).selectOption('4');
  await expect.poll(label).toBe('4 images drawn by platform-generator, seed 12');
  await page.getByRole('combobox', { name: 'Images' }).blur();
  await page.getByRole('button', { name: 'New images' }).click();
  await expect.poll(() => page.getByRole('spinbutton', { name: 'Seed' }).inputValue()).toBe('13');
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, 'export-web-draw.png') });
  expect(astray).toEqual([]);
});

chromium('the exported page of a discriminator scores a picture', async () => {
  const { page, astray } = await open('score.html');
  await expect
    .poll(() => page.locator('gpn-score-map .status').textContent())
    .toMatch(/^\d+ × \d+ windows on wasm in \d+ ms$/);
  await page.screenshot({ path: join(SHOTS, 'export-web-score.png') });
  expect(astray).toEqual([]);
});

chromium('several exported generators have a gallery and a page each', async () => {
  const { page, astray } = await open('index.html', { site: many });
  const canvas = (name: string) => page.locator(`gpn-generator[src*=${name}] canvas`);
  const label = (name: string) => canvas(name).getAttribute('aria-label');
  await expect
    .poll(() => label('platform-generator'))
    .toBe('36 images drawn by platform-generator, seed 7');
  await expect.poll(() => label('conditional')).toBe('30 images drawn by conditional, seed 7');
  await page.getByRole('combobox', { name: 'Class' }).selectOption('edgy');
  await expect
    .poll(() => label('conditional'))
    .toBe('30 images of class edgy drawn by conditional, seed 7');
  await page.getByRole('button', { name: 'Draw all again' }).click();
  await expect
    .poll(() => label('platform-generator'))
    .toBe('36 images drawn by platform-generator, seed 8');
  await page.screenshot({ path: join(SHOTS, 'export-web-gallery.png') });
  await page.getByRole('link', { name: 'conditional' }).click();
  await expect.poll(() => label('conditional')).toBe('30 images drawn by conditional, seed 7');
  const sweeps = page.getByRole('figure').filter({ hasText: /^\s*Code \d from −2 to 2/ });
  expect(await sweeps.count()).toBe(2);
  await page.getByRole('link', { name: 'Gallery' }).click();
  await page.waitForURL('**/index.html');
  expect(astray).toEqual([]);
});

chromium('the poster of an exported page shows what the element then draws', async () => {
  const { page } = await open('platform-generator.html', { site: many });
  const same = await page.evaluate(`(async () => {
    const element = document.querySelector('gpn-generator');
    const canvas = await new Promise((resolve) =>
      element.addEventListener('gpn-sample', () => resolve(element.shadowRoot.querySelector('canvas'))));
    const { width, height } = canvas;
    const drawn = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    const poster = new OffscreenCanvas(width, height).getContext('2d');
    poster.drawImage(element.querySelector('img'), 0, 0);
    const shown = poster.getImageData(0, 0, width, height).data;
    return Math.max(...drawn.map((v, i) => Math.abs(v - shown[i])));
  })()`);
  expect(same).toBeLessThanOrEqual(1); // a value next to the middle of two may be rounded either way
});

chromium('exported discriminators take turns over one picture', async () => {
  const { page, astray } = await open('score.html', { site: many });
  const status = () => page.locator('gpn-score-map .status').textContent();
  // Judges of fragments come first, and score every fragment: 6×4 images of 28×28.
  await expect.poll(status).toMatch(/^163 × 107 windows on wasm/);
  await page
    .getByRole('combobox', { name: 'Discriminator' })
    .selectOption('platform-discriminator');
  await expect.poll(status).toMatch(/^47 × 29 windows on wasm/);
  expect(page.url()).toMatch(/#platform-discriminator$/);
  expect(await page.locator('h2:visible').allTextContents()).toEqual(['platform-discriminator']);
  const linked = await open('score.html#platform-discriminator', { site: many });
  await expect
    .poll(() => linked.page.locator('h2:visible').allTextContents())
    .toEqual(['platform-discriminator']);
  expect([...astray, ...linked.astray]).toEqual([]);
});

chromium('an exported page is no wider than a phone', async () => {
  for (const name of ['index.html', 'conditional.html', 'score.html']) {
    const { page } = await open(name, { site: many, width: 390 });
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect([name, width]).toEqual([name, 390]);
    await page.close();
  }
});

test('export-web replaces an earlier export, but not a folder of other files', () => {
  const again = run('generator.onnx', '-o', 'again');
  expect(again.code, again.stderr).toBe(0);
  expect(run('discriminator.onnx', 'discriminator.onnx', '-o', 'again').code).toBe(0);
  const files = listing(join(folder, 'again'));
  expect(files).toContain('models/platform-discriminator-2.onnx');
  expect(files).not.toContain('models/platform-generator.onnx');
  mkdirSync(join(folder, 'other'));
  writeFileSync(join(folder, 'other/precious.txt'), 'keep');
  const refused = run('generator.onnx', '-o', 'other');
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringMatching(/contains other files/),
  ]);
  expect(existsSync(join(folder, 'other/precious.txt'))).toBe(true);
  const missing = run('none.onnx', '-o', 'new');
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringMatching(/no file none\.onnx/)]);
  expect(existsSync(join(folder, 'new'))).toBe(false);
});
