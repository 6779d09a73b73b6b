/** A program that bundles the packed package with Vite, elements and all. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { afterAll, expect, test } from 'vitest';
import { serveFolder } from '../../cli/src/web/site.js';
import { scratchFolder } from '../cli.js';
import { installPacked } from '../pack.js';
import { findChromium, launch, NO_CHROMIUM, newPage } from './chromium.js';
import { exported } from './model.js';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a page built by Vite draws, with nothing said about where files lie', async ({ skip }) => {
  const path = findChromium();
  if (path === undefined) skip(NO_CHROMIUM);
  installPacked(folder, []);
  mkdirSync(join(folder, 'public'));
  writeFileSync(join(folder, 'public/g.onnx'), await exported('generator'));
  writeFileSync(
    join(folder, 'index.html'),
    `<!doctype html><title>vite</title><script type="module" src="/main.js"></script>
    <gpn-generator src="/g.onnx" device="wasm" count="4"></gpn-generator>`,
  );
  writeFileSync(
    join(folder, 'main.js'),
    `import '@gpn/runtime/elements';
    import { Generator } from '@gpn/runtime';
    window.draw = async () => {
      const generator = await Generator.load('/g.onnx', { device: 'wasm' });
      return (await generator.sample({ count: 3 })).count;
    };`,
  );
  await build({ root: folder, configFile: false, logLevel: 'error', build: { minify: false } });
  const site = await serveFolder(join(folder, 'dist'));
  const browser = await launch(path as string);
  try {
    const page = await newPage(browser);
    const foreign: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(site.url)) foreign.push(request.url());
    });
    await page.goto(`${site.url}/`);
    expect(await page.evaluate('draw()')).toBe(3);
    await expect
      .poll(() => page.locator('gpn-generator canvas').getAttribute('aria-label'))
      .toBe('4 images drawn by platform-generator, seed 0');
    expect(foreign.filter((url) => url.startsWith('http'))).toEqual([]);
  } finally {
    await browser.close();
    site.close();
  }
});
