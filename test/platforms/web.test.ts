/** The entry for browsers, in Chromium: workers, caches, sizes, canvases. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { serveFolder } from '../../cli/src/web/site.js';
import { root } from '../imports.js';
import { newPage } from './chromium.js';
import { exported } from './model.js';
import { pageOf } from './page.js';

const ort = join(root, 'node_modules/onnxruntime-web/dist');
let digest: string;

const { chromium, folder, page, url } = pageOf(async (path) => {
  const model = await exported('generator');
  digest = createHash('sha256').update(model).digest('hex');
  writeFileSync(join(path, 'g.onnx'), model);
  writeFileSync(join(path, 'broken.onnx'), model.subarray(0, 1000));
  writeFileSync(join(path, 'index.html'), '<!doctype html><title>web</title><base href="/">');
});

/** Runs text in the page, where `runtime` is the package and `options` say where its files lie. */
const inPage = <T>(text: string): Promise<T> =>
  page().evaluate(`(async () => {
    const runtime = await import('/runtime/web/index.js');
    const { Generator, Discriminator } = runtime;
    const options = { device: 'wasm', assets: 'ort' };
    ${text}
  })()`);

/** What a page loads at once of an entry, bundled: not what only some pages ask for. */
async function bundle(entry: string): Promise<number> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, 'runtime/dist', entry)],
    bundle: true,
    minify: true,
    splitting: true,
    metafile: true,
    format: 'esm',
    write: false,
    outdir: folder,
    absWorkingDir: folder,
    external: ['onnxruntime-web/*'],
  });
  const contents = new Map(outputFiles.map(({ path, contents }) => [path, contents]));
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: next, kind, external } of metafile.outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && !external) load(next);
    }
  };
  for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint?.endsWith(`runtime/dist/${entry}`)) load(path);
  }
  expect(loaded.size).toBeGreaterThan(0);
  return [...loaded].reduce(
    (sum, path) =>
      sum + gzipSync(contents.get(join(folder, path)) as Uint8Array, { level: 9 }).length,
    0,
  );
}

test('the scripts that a page downloads are small', async () => {
  const gz = (file: string) => gzipSync(readFileSync(join(ort, file)), { level: 6 }).length;
  const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
  const [main, worker] = [await bundle('web/index.js'), await bundle('web/worker.js')];
  const elements = await bundle('elements/index.js');
  console.log(
    [
      `gzipped: @gpn/runtime ${kB(main)} (${kB(elements)} with the elements) and its worker ${kB(worker)};`,
      `onnxruntime-web for wasm ${kB(gz('ort.wasm.bundle.min.mjs'))} + ${kB(gz('ort-wasm-simd-threaded.wasm'))},`,
      `for WebGPU ${kB(gz('ort.webgpu.bundle.min.mjs'))} + ${kB(gz('ort-wasm-simd-threaded.asyncify.wasm'))};`,
      `the model ${kB(gzipSync(readFileSync(join(folder, 'g.onnx'))).length)}`,
    ].join(' '),
  );
  expect(main + worker).toBeLessThanOrEqual(15_000);
});

test('the version of the CDN’s files is the one that is installed', async () => {
  const { ORT_VERSION } = await import('../../runtime/src/web/backend.js');
  const { version } = JSON.parse(readFileSync(join(ort, '../package.json'), 'utf8'));
  expect(ORT_VERSION).toBe(version);
});

describe('in Chromium', () => {
  chromium('the page stays responsive while 1,024 images are drawn', async () => {
    const { ticks, ms, longest, isolated } = await inPage<Record<string, number>>(`
      const generator = await Generator.load('g.onnx', options);
      let ticks = 0, longest = 0, last = performance.now();
      const timer = setInterval(() => {
        const now = performance.now();
        ticks++; longest = Math.max(longest, now - last); last = now;
      }, 16);
      const from = performance.now();
      await generator.sample({ count: 1024, batchSize: 1024 }); // one run: nothing is divided
      const ms = performance.now() - from;
      clearInterval(timer);
      await generator.dispose();
      return { ticks, ms, longest, isolated: crossOriginIsolated };`);
    console.log(
      `1,024 images in ${ms?.toFixed(0)} ms, ${ticks} ticks, ${longest?.toFixed(0)} ms at most between two`,
    );
    expect(isolated).toBe(false);
    // On the page itself there would be no tick at all until the run ends.
    expect(ticks).toBeGreaterThan(0.5 * ((ms as number) / 16));
    expect(longest).toBeLessThan(0.5 * (ms as number));
  });

  chromium('a file known by its digest is fetched once, and another is refused', async () => {
    let fetched = 0;
    page().on('request', (request) => {
      if (request.url().endsWith('g.onnx')) fetched++;
    });
    const load = (hash: string) =>
      inPage<string>(`
        const seen = [];
        const onProgress = ({ phase, done, total }) => seen.push(phase === 'fetch' ? [done, total] : phase);
        try {
          const model = await Generator.load('g.onnx', { ...options, digest: '${hash}', onProgress });
          await model.dispose();
          return JSON.stringify([seen.at(-4), ...seen.slice(-3)]);
        } catch (error) { return error.name + ': ' + error.message; }`);
    const { length } = readFileSync(join(folder, 'g.onnx'));
    const ready = JSON.stringify([[length, length], 'session', 'warm-up', 'ready']);
    expect(await load(digest)).toBe(ready);
    expect(await load(digest.toUpperCase())).toBe(ready);
    expect(fetched).toBe(1);
    expect(await load('0'.repeat(64))).toBe(
      `UserError: g.onnx is not the file that was asked for: its SHA-256 is ${digest}.`,
    );
  });

  chromium('a mistake of the user’s is one sentence in the page too', async () => {
    const failing = (source: string, more = '{}') =>
      inPage<string>(`return Generator.load(${source}, { ...options, ...${more} })
        .then(() => 'loaded', (error) => error.name + ': ' + error.message);`);
    expect(await failing(`'none.onnx'`)).toBe(
      `UserError: ${url()}/none.onnx cannot be fetched: the server answers 404.`,
    );
    expect(await failing(`'broken.onnx'`)).toMatch(
      /^UserError: broken\.onnx is not a complete ONNX file/,
    );
    expect(await failing(`'g.onnx'`, `{ device: 'cuda' }`)).toBe(
      'UserError: There is no device "cuda": use auto, webgpu, wasm.',
    );
    expect(await failing(`'g.onnx'`, `{ device: 'webgpu' }`)).toMatch(
      /^UserError: The device webgpu cannot be used/,
    );
    expect(await failing(`'g.onnx'`, `{ assets: '/nowhere' }`)).toMatch(
      /^UserError: The device wasm cannot be used .* from the folder `assets`\.$/,
    );
    expect(await failing(`new Blob(['x'])`)).toMatch(
      /^UserError: The model is not a complete ONNX/,
    );
  });

  chromium('the runtime also works without a worker, with an abort and on a canvas', async () => {
    const result = await inPage<{
      same: boolean;
      aborted: string;
      pixels: boolean;
      png: boolean;
      size: number[];
    }>(`
      const here = await Generator.load('g.onnx', { ...options, worker: false });
      const there = await Generator.load(await (await fetch('g.onnx')).arrayBuffer(), options);
      const [a, b] = [await here.sample({ count: 5, seed: 3 }), await there.sample({ count: 5, seed: 3 })];
      const same = a.data.every((v, i) => v === b.data[i]);
      const aborted = await there.sample({ count: 100000, signal: AbortSignal.timeout(50) }).catch((e) => e.name);
      const canvas = document.createElement('canvas');
      a.draw(canvas);
      const { pixels, width, height } = a.toGrid();
      const drawn = canvas.getContext('2d').getImageData(0, 0, width, height).data;
      const equal = (rgba) => pixels.every((v, i) => [0, 1, 2].every((c) => rgba[4 * i + c] === v) && rgba[4 * i + 3] === 255);
      const bitmap = await createImageBitmap(new Blob([await a.toPNG()], { type: 'image/png' }));
      await here.dispose(); await there.dispose();
      return { same, aborted, pixels: equal(drawn), png: bitmap.width === width, size: [canvas.width, canvas.height] };`);
    expect(result).toEqual({
      same: true,
      aborted: 'TimeoutError',
      pixels: true,
      png: true,
      size: [88, 58],
    });
  });

  chromium('the runtime loads its own files from another origin, such as a CDN', async () => {
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'index.html'), '<!doctype html><title>other</title>');
    const elsewhere = await serveFolder(other);
    const second = await newPage(page().context().browser() as Browser);
    // A CDN permits other origins; this server does not, so the browser's side of that is waived.
    await second.route(`${url()}/**`, async (route) => {
      const response = await route.fetch();
      const headers = { ...response.headers(), 'access-control-allow-origin': '*' };
      await route.fulfill({ response, headers });
    });
    await second.goto(`${elsewhere.url}/index.html`);
    const device = await second.evaluate(`(async () => {
      const { Generator } = await import('${url()}/runtime/web/index.js');
      const generator = await Generator.load('${url()}/g.onnx', { assets: '${url()}/ort/' });
      return [generator.device, (await generator.sample({ count: 2 })).count].join();
    })()`);
    expect(device).toBe('wasm,2');
    elsewhere.close();
  });
});
