/** A page in Chromium that the tests of a file share, on a folder that is served to it alone. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { type Site, serveFolder } from '../../cli/src/web/site.js';
import { scratchFolder } from '../cli.js';
import { root } from '../imports.js';
import { findChromium, launch, NO_CHROMIUM, newPage } from './chromium.js';

/**
 * Opens `index.html` of a folder before the tests of a file, and closes it after them. Beside what
 * `fill` writes, the folder has the runtime's scripts (`runtime/`) and ONNX Runtime's (`ort/`).
 * @returns the folder, its address and the page (both once they are there), and `chromium`, a test that
 *   is skipped by name if there is no browser
 */
export function pageOf(
  fill: (folder: string) => void | Promise<void>,
  options?: BrowserContextOptions,
) {
  const folder = scratchFolder();
  let site: Site | undefined;
  let page: Page | undefined;

  beforeAll(async () => {
    await fill(folder);
    cpSync(join(root, 'runtime/dist'), join(folder, 'runtime'), { recursive: true });
    cpSync(join(root, 'node_modules/onnxruntime-web/dist'), join(folder, 'ort'), {
      recursive: true,
    });
    site = await serveFolder(folder);
    const path = findChromium();
    if (path === undefined) return;
    page = await newPage(await launch(path), options);
    await page.goto(`${site.url}/index.html`);
  });

  afterAll(async () => {
    await page?.context().browser()?.close();
    site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    folder,
    url: () => site?.url,
    page: () => page as Page,
    chromium: (name: string, body: () => Promise<void>) =>
      test(name, async ({ skip }) => {
        if (page === undefined) skip(NO_CHROMIUM);
        await body();
      }),
  };
}
