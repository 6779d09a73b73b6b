/** The page "Train" of `npm run demo`, in a browser that can reach nothing else. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { WebFile } from '@gpn/runtime';
import { expect } from 'vitest';
import { serviceWorker } from '../../cli/src/web/offline.js';
import { type OtherPage, pages } from '../../cli/src/web/page.js';
import { root } from '../imports.js';
import { pageOf } from './page.js';

const SHOTS = join(root, 'scratch/screenshots');
const PHONE = { width: 390, height: 800 };
/** Drawings, and pixels of a grid of six times six of them, with gaps. */
const [DRAWINGS, GRID] = [8, 6 * 28 + 5];

const { chromium, page, url } = pageOf(
  async (folder) => {
    const demo = join(root, 'scripts/demo/train.mjs');
    const { trainPage } = (await import(demo)) as { trainPage: () => Promise<OtherPage> };
    // The files of a site are those that were built.
    const built = join(root, 'runtime/dist/node/index.js');
    const { webFiles } = (await import(built)) as { webFiles: () => Promise<WebFile[]> };
    const files = [
      ...(await pages([], { title: 'Train', webgpu: false }, [await trainPage()])),
      ...(await webFiles()),
    ];
    for (const { path, bytes } of [...files, serviceWorker(files)]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>empty</title>');
  },
  { viewport: PHONE },
);

const step = 'document.querySelector("gpn-trainer").training?.step ?? 0';

chromium('drawings that are made there are learnt from, at a phone’s width', async () => {
  const astray: string[] = [];
  page().on('pageerror', ({ message }) => astray.push(message));
  page().on('request', (request) => {
    if (/^http/.test(request.url()) && !request.url().startsWith(url() as string)) {
      astray.push(request.url());
    }
  });
  await page().goto(`${url()}/train.html#drawings`);
  await page().waitForFunction('customElements.get("gpn-trainer")');
  const { x, y, width } = (await page().locator('#pad').boundingBox()) as {
    x: number;
    y: number;
    width: number;
  };
  const { mouse } = page();
  for (let k = 0; k < DRAWINGS; k++) {
    await mouse.move(x + width / 4, y + 20 + 10 * k);
    await mouse.down();
    await mouse.move(x + width / 2, y + width - 20);
    await mouse.move(x + (3 * width) / 4, y + 20 + 5 * k);
    await mouse.up();
    await page().getByRole('button', { name: 'Add' }).click();
  }
  expect(await page().locator('#count').textContent()).toBe('8 drawn');
  await page().getByRole('button', { name: 'Start', exact: true }).click();
  await expect.poll(() => page().evaluate(step)).toBeGreaterThan(0);
  const drawn = page().locator('gpn-trainer canvas').last();
  await expect.poll(() => drawn.getAttribute('width')).toBe(String(GRID));
  expect(await page().evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
  mkdirSync(SHOTS, { recursive: true });
  await page().screenshot({ path: join(SHOTS, 'train-phone.png'), fullPage: true });
  await page().getByRole('button', { name: 'Pause' }).click();
  expect(astray).toEqual([]);
});

chromium('without a network the page opens, and goes on', async () => {
  await page().waitForFunction('navigator.serviceWorker.ready');
  const goOn = page().getByRole('button', { name: 'Go on' });
  await goOn.waitFor(); // the pause has kept a checkpoint
  await page().context().setOffline(true);
  await page().reload();
  await goOn.click();
  const before = await page().evaluate<number>(step);
  await expect.poll(() => page().evaluate(step)).toBeGreaterThan(before);
  await page().context().setOffline(false);
});
