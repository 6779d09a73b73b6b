/**
 * How long a model that never returns outlives its abort, in a worker of Node and of Chromium:
 * `npm run bench:abort -- [--times 10]` prints the seconds from the abort until the call has failed, and
 * until the worker has ended, medians and the longest.  CHROMIUM names a browser other than Playwright's.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Generator } from '@gpn/runtime';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { serveFolder } from '../cli/dist/web/site.js';

const { values } = parseArgs({ options: { times: { type: 'string', default: '10' } } });
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gpn-abort-'));

/** The tests' model, whose loop has no end. */
async function endless() {
  const outfile = join(root, 'node_modules/.gpn-hostile-models.mjs'); // beside what it imports
  const entry = join(root, 'runtime/test/hostile-models.ts');
  await build({ entryPoints: [entry], bundle: true, format: 'esm', packages: 'external', outfile });
  const models = await import(pathToFileURL(outfile).href);
  rmSync(outfile);
  return models.endless();
}

const since = (begun) => (performance.now() - begun) / 1000;

/** Seconds until `ended` says so, which is asked every two milliseconds. */
async function until(ended) {
  const begun = performance.now();
  while (!(await ended())) await sleep(2);
  return since(begun);
}

const children = () =>
  execFileSync('ps', ['-o', 'args=', '--ppid', String(process.pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('worker')).length;

async function inNode(model) {
  const generator = await Generator.load(model, { device: 'cpu', worker: true });
  const controller = new AbortController();
  const drawing = generator.sample({ count: 1, signal: controller.signal }).catch(() => {});
  await sleep(500);
  const begun = performance.now();
  controller.abort();
  const failed = drawing.then(() => since(begun));
  const ended = await until(() => children() === 0);
  await generator.dispose();
  return { failed: await failed, ended };
}

async function inChromium(browser, url) {
  const page = await browser.newPage();
  await page.goto(url);
  await page.evaluate(`(async () => {
    const { Generator } = await import('/runtime/web/index.js');
    window.controller = new AbortController();
    // A page runs a model once as it loads it, which never ends here.
    await new Promise((begun) => {
      window.loading = Generator.load('endless.onnx', {
        assets: 'ort',
        device: 'wasm',
        signal: controller.signal,
        onProgress: ({ phase }) => phase === 'warm-up' && begun(),
      }).catch(() => {});
    });
  })()`);
  await sleep(500);
  const failing = page.evaluate(`(async () => {
    const begun = performance.now();
    controller.abort();
    await loading;
    return (performance.now() - begun) / 1000;
  })()`);
  const ended = await until(() => page.workers().length === 0);
  const failed = await failing;
  await page.close();
  return { failed, ended };
}

async function measured(place, once) {
  const all = [];
  for (let i = 0; i < Number(values.times); i++) all.push(await once());
  const of = (what) => {
    const sorted = all.map((each) => each[what]).sort((a, b) => a - b);
    return `${sorted[sorted.length >> 1].toFixed(3)} s (at most ${sorted.at(-1).toFixed(3)} s)`;
  };
  console.log(
    `${place}, ${all.length} aborts: failed after ${of('failed')}, ended after ${of('ended')}`,
  );
}

const model = await endless();
await measured('Node', () => inNode(model));

writeFileSync(join(folder, 'endless.onnx'), model);
writeFileSync(join(folder, 'index.html'), '<!doctype html><title>abort</title>');
cpSync(join(root, 'runtime/dist'), join(folder, 'runtime'), { recursive: true });
cpSync(join(root, 'node_modules/onnxruntime-web/dist'), join(folder, 'ort'), { recursive: true });
const site = await serveFolder(folder);
const browser = await chromium.launch({
  ...(process.env.CHROMIUM && { executablePath: process.env.CHROMIUM }),
  args: ['--no-sandbox'],
});
await measured('Chromium', () => inChromium(browser, `${site.url}/index.html`));
await browser.close();
site.close();
rmSync(folder, { recursive: true, force: true });
