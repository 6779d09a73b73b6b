import { chromium } from 'playwright-core';
import { serveFolder } from './cli/dist/serve.js';
const site = await serveFolder('/tmp/pgx/demo');
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: ['--no-sandbox','--disable-quic','--no-first-run','--disable-background-networking','--disable-component-update','--disable-sync'] });
const width = Number(process.argv[2] ?? 1280), hash = process.argv[3] ?? '';
const page = await browser.newPage({ viewport: { width, height: 900 } });
page.on('console', (m) => console.log(m.text())); page.on('pageerror', (e) => console.log('ERR', e.message));
await page.goto(site.url + '/train.html' + hash);
await page.waitForFunction('customElements.get("gpn-trainer")');
if (hash === '#drawings') {
  const pad = page.locator('#pad');
  for (let k = 0; k < 12; k++) {
    const b = await pad.boundingBox(); const s = b.width / 280;
    const at = (x, y) => [b.x + x * s + k, b.y + y * s - k / 2];
    await page.mouse.move(...at(60, 200)); await page.mouse.down();
    for (const p of [[140, 60 + 4 * k], [220, 200], [80, 120], [200, 120]]) await page.mouse.move(...at(...p), { steps: 4 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'Add' }).click();
  }
}
const steps = Number(process.argv[4] ?? 20);
await page.getByRole('button', { name: 'Start', exact: true }).click();
await page.waitForFunction(`document.querySelector('gpn-trainer').training?.step >= ${steps} || document.querySelector('gpn-trainer').shadowRoot.querySelector('.error')`, undefined, { timeout: 500000 });
await page.waitForTimeout(4000);
await page.screenshot({ path: `/tmp/pgx/train-${width}${hash.replace('#','-')}.png`, fullPage: true });
console.log(await page.evaluate(`document.querySelector('gpn-trainer').shadowRoot.querySelector('.facts').textContent + ' | ' + document.querySelector('gpn-trainer').shadowRoot.querySelector('.status').textContent + ' | ' + document.documentElement.scrollWidth`));
await browser.close(); site.close();
