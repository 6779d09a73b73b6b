/**
 * `npm run bench:page`: what a visitor sees of the demo's page "Train": digits learnt in a fresh Chromium,
 * by WebAssembly on one thread, without cross-origin isolation.
 *
 *   npm run bench:page                    fifteen minutes, with a reload in the middle
 *   npm run bench:page -- --minutes 5 --output FOLDER
 *
 * Prints how far the training came, what the reload lost, the memory, and the seconds of processor time
 * that the browser took, which say more on a machine that does other work. Writes the page's picture and
 * both networks into the folder, runs/page by default: look at them, and measure the generator with
 * `gpn-cli eval --model FOLDER/generator.onnx --data mnist`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { webFiles } from '@gpn/runtime';
import { pages } from '../cli/dist/web/page.js';
import { serveFolder } from '../cli/dist/web/site.js';
import { openBrowser } from './browser/chromium.mjs';
import { trainPage } from './demo/train.mjs';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '15' },
    output: { type: 'string', default: 'runs/page' },
  },
});
const minutes = Number(options.minutes);
const folder = mkdtempSync(join(tmpdir(), 'gpn-page-'));
mkdirSync(options.output, { recursive: true });
const site = [
  ...(await pages([], { title: 'Train', webgpu: false }, [await trainPage()])),
  ...(await webFiles()),
];
for (const { path, bytes } of site) {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), bytes);
}
const { url, close } = await serveFolder(folder);
const browser = await openBrowser();
try {
  await watch(await browser.newPage());
} finally {
  await browser.close();
  close();
  rmSync(folder, { recursive: true });
}

async function watch(page) {
  const trainer = (code) =>
    page.evaluate(`(async (trainer) => ${code})(document.querySelector('gpn-trainer'))`);
  const press = (name) => page.getByRole('button', { name, exact: true }).click();
  const step = () => trainer('trainer.training?.step ?? 0');
  page.setDefaultTimeout(0); // a machine that does other work is slow
  await page.goto(`${url}/train.html`);
  console.log(`isolated: ${await page.evaluate('crossOriginIsolated')}`);
  const began = Date.now();
  const elapsed = () => (Date.now() - began) / 60_000;
  await press('Start');
  await until(() => elapsed() >= minutes / 2, step, elapsed);
  const before = await step();
  await page.reload();
  await page.waitForFunction('customElements.get("gpn-trainer")');
  await press('Go on');
  await page.waitForFunction(`document.querySelector('gpn-trainer').training`);
  console.log(`a reload at step ${before} went on from step ${await step()}`);
  const done = await until(
    async () => elapsed() >= minutes || (await trainer('!trainer.running')),
    step,
    elapsed,
  );
  await trainer('trainer.pause()');
  const info = await (await browser.newBrowserCDPSession()).send('SystemInfo.getProcessInfo');
  const seconds = info.processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  console.log(
    `${done.toLocaleString('en')} steps in ${elapsed().toFixed(1)} minutes, ${(seconds / 60).toFixed(1)} of processor time`,
  );
  await page.screenshot({ path: join(options.output, 'page.png'), fullPage: true });
  for (const role of ['generator', 'discriminator']) {
    const text = await trainer(
      `btoa(Array.from(await trainer.network('${role}'), (byte) => String.fromCharCode(byte)).join(''))`,
    );
    writeFileSync(join(options.output, `${role}.onnx`), Buffer.from(text, 'base64'));
  }
}

/** Prints how far the training is, every minute. @returns its last step */
async function until(isOver, step, elapsed) {
  let printed = Math.floor(elapsed());
  for (;;) {
    if (await isOver()) return step();
    await new Promise((resolve) => {
      setTimeout(resolve, 2000);
    });
    if (Math.floor(elapsed()) <= printed) continue;
    printed = Math.floor(elapsed());
    console.log(`${printed} min: step ${await step()}`);
  }
}
