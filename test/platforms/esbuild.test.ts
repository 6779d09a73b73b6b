/** Programs bundled by esbuild, which does not follow workers: a page, and a program for Node. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveFolder } from '../../cli/src/web/site.js';
import { scratchFolder } from '../cli.js';
import { root } from '../imports.js';
import { installPacked } from '../pack.js';
import { findChromium, launch, NO_CHROMIUM, newPage } from './chromium.js';
import { exported } from './model.js';

const folder = scratchFolder();
const worker = '@gpn/runtime/worker';
const common = { absWorkingDir: folder, bundle: true, format: 'esm', logLevel: 'error' } as const;

beforeAll(async () => {
  installPacked(folder, ['onnxruntime-node', 'onnxruntime-web']);
  for (const path of ['page', 'program']) {
    mkdirSync(join(folder, path));
    writeFileSync(join(folder, path, 'g.onnx'), await exported('generator'));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a program for Node draws on the CPU, in a worker thread and by WebAssembly', async () => {
  writeFileSync(
    join(folder, 'program.js'),
    `import { Generator } from '@gpn/runtime';
    for (const options of [{ device: 'cpu' }, { device: 'cpu', worker: true }, { device: 'wasm' }]) {
      const generator = await Generator.load(new URL('./g.onnx', import.meta.url), options);
      console.log((await generator.sample({ count: 3 })).count, generator.device);
      await generator.dispose();
    }`,
  );
  await build({
    ...common,
    entryPoints: { program: 'program.js', worker },
    platform: 'node',
    outdir: 'program',
    external: ['onnxruntime-node', 'onnxruntime-web'],
  });
  expect(readdirSync(join(folder, 'program')).sort()).toEqual([
    'g.onnx',
    'program.js',
    'worker.js',
  ]);
  const said = () =>
    execFileSync(process.execPath, ['program/program.js'], { cwd: folder, encoding: 'utf8' });
  expect(said()).toBe('3 cpu\n3 cpu\n3 wasm\n');
  // Without the binary's package the same program computes by WebAssembly.
  rmSync(join(folder, 'node_modules/onnxruntime-node'));
  expect(said()).toBe('3 wasm\n3 wasm\n3 wasm\n');
  // Without the worker's file it says what to do.
  rmSync(join(folder, 'program/worker.js'));
  expect(said).toThrow('bundle @gpn/runtime/worker as a script of its own beside the program');
});

test('a page draws, with the worker beside it or at the URL of an attribute', async ({ skip }) => {
  const path = findChromium();
  if (path === undefined) skip(NO_CHROMIUM);
  writeFileSync(join(folder, 'main.js'), `import '@gpn/runtime/elements';`);
  await build({ ...common, entryPoints: { main: 'main.js', worker }, outdir: 'page' });
  await build({ ...common, entryPoints: { other: worker }, outdir: 'page' });
  copyFileSync(
    join(root, 'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm'),
    join(folder, 'page/ort-wasm-simd-threaded.wasm'),
  );
  const site = await serveFolder(join(folder, 'page'));
  const browser = await launch(path as string);
  try {
    for (const script of ['worker.js', 'other.js']) {
      const given = script === 'other.js' ? 'worker="other.js"' : '';
      writeFileSync(
        join(folder, 'page/index.html'),
        `<!doctype html><title>esbuild</title><script type="module" src="main.js"></script>
        <gpn-generator src="g.onnx" device="wasm" count="4" ${given}></gpn-generator>`,
      );
      const page = await newPage(browser);
      await page.goto(`${site.url}/`);
      await expect
        .poll(() => page.locator('gpn-generator canvas').getAttribute('aria-label'))
        .toBe('4 images drawn by platform-generator, seed 0');
      expect(page.workers().map((started) => new URL(started.url()).pathname)).toEqual([
        `/${script}`,
      ]);
      await page.close();
    }
  } finally {
    await browser.close();
    site.close();
  }
});
