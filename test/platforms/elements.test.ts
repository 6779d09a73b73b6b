/** The custom elements, in Chromium, on a page without a bundler. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Discriminator, nullOf } from '@gpn/runtime';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { conditionalFile, DISCRIMINATOR, discriminatorFile } from '../../runtime/test/tiny.js';
import { root } from '../imports.js';
import { runModule } from '../pack.js';
import { exported } from './model.js';
import { pageOf } from './page.js';

const SHOTS = join(root, 'scratch/screenshots');

const PAGE = `<!doctype html><html lang="en"><title>elements</title>
<script type="module" src="runtime/elements/index.js"></script>
<script>
  window.events = [];
  for (const name of ['load', 'sample', 'score', 'error'])
    addEventListener('gpn-' + name, ({ detail, target }) => events.push([name, target.id, detail]));
</script>
<gpn-generator id="plain" src="g.onnx" assets="ort" device="wasm" seed="7" count="16"></gpn-generator>
<gpn-generator id="conditional" src="c.onnx" assets="ort" device="wasm" count="3" label="2"></gpn-generator>
<gpn-score-map id="map" src="d.onnx" assets="ort" device="wasm" stride="8"><img src="ramp.png" width="300" alt="A ramp"></gpn-score-map>
<gpn-generator id="wrong" src="none.onnx" assets="ort" device="wasm"></gpn-generator>
<div style="height: 3000px"></div>
<style>
  #far { --gpn-accent: rgb(1, 2, 3); --gpn-surface: rgb(4, 5, 6); --gpn-text: rgb(7, 8, 9); --gpn-line: rgb(10, 11, 12); --gpn-stage: rgb(13, 14, 15); --gpn-radius: 20px; --gpn-width: 222px; --gpn-font: 17px serif; }
  #far::part(canvas) { opacity: .5; }
  #broken { --gpn-error: rgb(16, 17, 18); }
</style>
<gpn-generator id="far" src="g.onnx" assets="ort" device="wasm" count="4"><p slot="poster">Digits, soon</p></gpn-generator>
<gpn-generator id="broken" src="none.onnx" assets="ort" device="wasm"></gpn-generator>
<gpn-score-map id="found" src="dark.onnx" assets="ort" device="wasm"><img src="square.png" width="240" alt="Light, with a dark square"></gpn-score-map>`;

/** Fragments of 2 + 2 · 1 pixels, whose score is their sum: dark is suspicious. */
const dark = discriminatorFile({
  ...DISCRIMINATOR,
  name: 'dark',
  image: { ...DISCRIMINATOR.image, height: 4, width: 4 },
  fragment: { internal: 2, frame: 1 },
  calibration: {
    data: { name: 'light', pictures: 99, pixels: 20 * 16 },
    parts: nullOf(Float64Array.of(-9, -8, -7)),
    worst: nullOf(Float64Array.from({ length: 99 }, (_, k) => -4 - k / 100)),
  },
});
/** Light, with a dark square of 5 × 5 pixels. */
const square = Uint8Array.from({ length: 20 * 16 }, (_, i) => {
  const [x, y] = [i % 20, Math.floor(i / 20)];
  return x >= 8 && x < 13 && y >= 6 && y < 11 ? 10 : 230;
});

const { chromium, page, url } = pageOf(
  async (folder) => {
    writeFileSync(join(folder, 'g.onnx'), await exported('generator'));
    writeFileSync(join(folder, 'd.onnx'), await exported('discriminator'));
    writeFileSync(join(folder, 'c.onnx'), conditionalFile(['a', 'b', 'c']));
    const pixels = Uint8Array.from({ length: 60 * 44 }, (_, i) => (4 * (i % 60)) % 256);
    await sharp(pixels, { raw: { width: 60, height: 44, channels: 1 } })
      .png()
      .toFile(join(folder, 'ramp.png'));
    writeFileSync(join(folder, 'dark.onnx'), dark);
    await sharp(square, { raw: { width: 20, height: 16, channels: 1 } })
      .png()
      .toFile(join(folder, 'square.png'));
    writeFileSync(join(folder, 'index.html'), PAGE);
    mkdirSync(SHOTS, { recursive: true });
  },
  { viewport: { width: 900, height: 1400 } },
);

const until = (condition: string) => page().waitForFunction(condition);
const seen = (name: string, id: string) =>
  `events.some(([n, i]) => n === '${name}' && i === '${id}')`;

/** The pixels of an element's canvas, as a sum that tells pictures apart. */
const pixels = (id: string): Promise<string> =>
  page().evaluate(`(() => {
    const canvas = document.getElementById('${id}').shadowRoot.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return canvas.width + '×' + canvas.height + ':' + data.reduce((sum, v, i) => (sum * 31 + v * (i % 7)) % 1000003, 0);
  })()`);

test('the elements can be imported on a server, where nothing happens', () => {
  const text = `console.log(Object.keys(await import('./runtime/dist/elements/index.js')).join())`;
  expect(runModule(root, text).trim()).toBe('GpnGenerator,GpnScoreMap');
});

chromium(
  'the generator element draws the images of its seed, and others at the press of a button',
  async () => {
    await until(seen('sample', 'plain'));
    const first = await pixels('plain');
    expect(first).toMatch(/^115×115:/);
    const same = await page().evaluate(`(async () => {
    const { Generator } = await import('/runtime/web/index.js');
    const generator = await Generator.load('g.onnx', { assets: 'ort', device: 'wasm' });
    const canvas = document.getElementById('plain').shadowRoot.querySelector('canvas');
    const drawn = canvas.getContext('2d').getImageData(0, 0, 115, 115).data;
    const images = (await generator.sample({ count: 16, seed: 7 })).toImageData({ gap: 1 }).data;
    await generator.dispose();
    return images.every((v, i) => v === drawn[i]);
  })()`);
    expect(same).toBe(true);
    await page().getByRole('button', { name: 'New images' }).first().focus();
    await page().keyboard.press('Enter');
    await until(`events.some(([n, i, d]) => n === 'sample' && i === 'plain' && d.seed === 8)`);
    expect(await pixels('plain')).not.toBe(first);
    await expect
      .poll(() => page().locator('#plain canvas').getAttribute('aria-label'))
      .toBe('16 images drawn by platform-generator, seed 8');
    await page().evaluate(`document.getElementById('plain').seed = 7`);
    await until(
      `events.filter(([n, i, d]) => n === 'sample' && i === 'plain' && d.seed === 7).length > 1`,
    );
    expect(await pixels('plain')).toBe(first);
  },
);

chromium('a walk of the generator element moves on until it is stopped', async () => {
  const walk = page().locator('#plain').getByRole('button', { name: 'Walk' });
  const before = await pixels('plain');
  await walk.click();
  await expect.poll(() => pixels('plain')).not.toBe(before);
  await until(`document.getElementById('plain').seed >= 9`);
  await walk.click();
  expect(await walk.getAttribute('aria-pressed')).toBe('false');
  await page().waitForTimeout(200);
  const stopped = await pixels('plain');
  await page().waitForTimeout(300);
  expect(await pixels('plain')).toBe(stopped);
});

chromium('the generator element has controls for classes and codes', async () => {
  await until(seen('sample', 'conditional'));
  const element = page().locator('#conditional');
  const select = element.getByRole('combobox', { name: 'Class' });
  expect(await select.inputValue()).toBe('2');
  const before = await pixels('conditional');
  await select.selectOption('1');
  await expect.poll(() => pixels('conditional')).not.toBe(before);
  expect(await element.getAttribute('label')).toBe('1');
  const chosen = await pixels('conditional');
  await element.getByRole('slider', { name: 'Code 1' }).fill('1.5');
  await expect.poll(() => pixels('conditional')).not.toBe(chosen);
  expect(await element.getAttribute('code-1')).toBe('1.5');
  // The model draws its class and its codes in the first three of 2×3 pixels, from -2 to 2.
  const cells = () =>
    page().evaluate(`(() => {
      const canvas = document.getElementById('conditional').shadowRoot.querySelector('canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const rows = Array.from({ length: (canvas.height + 1) / 3 }, (_, k) => k * 3);
      return rows.map((y) => [0, 1, 2].map((x) => Math.round(data[4 * (y * canvas.width + x)] / 63.75 - 2)));
    })()`);
  await page().evaluate(`document.getElementById('conditional').setAttribute('code-1', '-1')`);
  await expect.poll(cells).toEqual([
    [1, 0, -1],
    [1, 0, -1],
  ]);
  expect(await element.getByRole('slider', { name: 'Code 1' }).inputValue()).toBe('-1');
  await select.selectOption({ label: 'a row for each' });
  await expect.poll(cells).toEqual([
    [0, 0, -1],
    [1, 0, -1],
    [2, 0, -1],
  ]);
});

chromium('the score map scores its picture, and another that is dropped on it', async () => {
  await until(seen('score', 'map'));
  const [rows, columns] = (await page().evaluate(
    `(([, , { map }]) => [map.rows, map.columns])(events.find(([n, i]) => n === 'score' && i === 'map'))`,
  )) as number[];
  expect([rows, columns]).toEqual([3, 5]);
  expect(await page().locator('#map .heat').getAttribute('aria-label')).toMatch(
    /^Heat map of the scores, from .+ % to .+ %$/,
  );
  await page().evaluate(`(async () => {
    const canvas = document.createElement('canvas');
    canvas.width = 36; canvas.height = 28;
    canvas.getContext('2d').fillRect(0, 0, 36, 28);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([blob], 'dropped.png', { type: 'image/png' }));
    const stage = document.getElementById('map').shadowRoot.querySelector('.stage');
    stage.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  })()`);
  await until(
    `events.some(([n, i, d]) => n === 'score' && d.map.rows === 1 && d.map.columns === 2)`,
  );
  await page().screenshot({ path: join(SHOTS, 'elements.png') });
});

chromium('an element shows what went wrong in its place', async () => {
  await until(seen('error', 'wrong'));
  expect(await page().locator('#wrong .status').textContent()).toBe(
    `${url()}/none.onnx cannot be fetched: the server answers 404.`,
  );
});

chromium('a wrong attribute of an element is a sentence, and a right one then draws', async () => {
  await until(seen('sample', 'conditional'));
  const status = () => page().locator('#conditional .status').textContent();
  const set = (name: string, value: string) =>
    page().evaluate(`document.getElementById('conditional').setAttribute('${name}', '${value}')`);
  for (const [name, wrong, sentence, right] of [
    ['label', 'three', 'conditional has no class three: its classes are 0 to 2 (a, b, c).', 'B'],
    ['label', '3', 'conditional has no class 3: its classes are 0 to 2 (a, b, c).', 'all'],
    ['count', '1e3', 'count="1e3" should be a whole number from 1.', '3'],
    ['columns', '0', 'columns="0" should be a whole number from 1.', '3'],
    ['seed', '-1', 'seed="-1" should be a whole number from 0.', '4'],
    ['code-0', 'x', 'code-0="x" should be a number.', '0'],
  ] as const) {
    await set(name, wrong);
    await expect.poll(status).toBe(sentence);
    await set(name, right);
    await expect.poll(status).toMatch(/^3 images .*drawn by conditional, seed \d, on wasm/);
  }
});

chromium('an element without a file says so, and loads one that it gets later', async () => {
  const status = () => page().locator('#late .status').textContent();
  await page().evaluate(
    `document.body.prepend(Object.assign(document.createElement('gpn-generator'), { id: 'late' }))`,
  );
  const set = (name: string, value: string) =>
    page().evaluate(`document.getElementById('late').setAttribute('${name}', '${value}')`);
  for (const [name, value] of [
    ['assets', 'ort'],
    ['device', 'wasm'],
    ['count', '1'],
  ] as const)
    await set(name, value);
  await page().locator('#late').scrollIntoViewIfNeeded();
  await set('src', '');
  await expect.poll(status).toBe('src="" is empty: give the URL of an .onnx file.');
  await set('src', 'g.onnx');
  await expect.poll(status).toMatch(/^1 image drawn by platform-generator/);
  await page().evaluate(`document.getElementById('late').remove()`);
});

chromium('an element off screen shows its poster and loads nothing until it is seen', async () => {
  expect(await page().evaluate(seen('load', 'far'))).toBe(false);
  const poster = page().locator('#far [slot=poster]');
  expect(await poster.isVisible()).toBe(true);
  await page().locator('#far').scrollIntoViewIfNeeded();
  await until(seen('sample', 'far'));
  await expect.poll(() => poster.isVisible()).toBe(false);
  expect(await page().locator('#far canvas').isVisible()).toBe(true);
});

chromium('the page’s own CSS properties and parts set the look of an element', async () => {
  await page().locator('#far').scrollIntoViewIfNeeded();
  await until(seen('sample', 'far'));
  await page().locator('#broken').scrollIntoViewIfNeeded();
  await until(seen('error', 'broken'));
  const style = (id: string, selector: string, property: string) =>
    page().evaluate(
      `getComputedStyle(document.getElementById('${id}').shadowRoot.querySelector('${selector}')).${property}`,
    );
  expect(await style('far', 'button.main', 'backgroundColor')).toBe('rgb(1, 2, 3)');
  expect(await style('far', 'figure', 'backgroundColor')).toBe('rgb(4, 5, 6)');
  expect(await style('far', 'figcaption', 'color')).toBe('rgb(7, 8, 9)');
  expect(await style('far', 'figure', 'borderTopColor')).toBe('rgb(10, 11, 12)');
  expect(await style('far', '.stage', 'backgroundColor')).toBe('rgb(13, 14, 15)');
  expect(await style('far', 'figure', 'borderTopLeftRadius')).toBe('20px');
  expect(await style('far', 'figcaption', 'fontSize')).toBe('17px');
  expect(await style('far', 'canvas', 'opacity')).toBe('0.5');
  expect(await style('broken', '.status', 'color')).toBe('rgb(16, 17, 18)');
  expect(await page().evaluate(`document.getElementById('far').offsetWidth`)).toBe(222);
});

chromium('a calibrated score map shows what does not belong, as Node finds it', async () => {
  await page().locator('#found').scrollIntoViewIfNeeded();
  await until(seen('score', 'found'));
  const { p, regions } = (await page().evaluate(
    `(({ p, regions }) => ({ p, regions }))(events.find(([n, i]) => n === 'score' && i === 'found')[2].detection)`,
  )) as { p: number; regions: { p: number; x: number }[] };
  const judge = await Discriminator.load(dark, { device: 'cpu' });
  const here = await judge.detect({ width: 20, height: 16, data: square });
  await judge.dispose();
  expect(here.regions).toHaveLength(1);
  expect(regions.map(({ p: _, ...place }) => place)).toEqual(
    here.regions.map(({ p: _, ...place }) => place),
  );
  expect(Math.abs(p - here.p)).toBeLessThan(1e-4);
  const said = await page().locator('#found .status').textContent();
  expect(said).toMatch(/^One place found \(p 0\.010\): 19 × 15 windows/);
  // In colour where something was found, and clear elsewhere.
  const alpha = (x: number, y: number) =>
    page().evaluate(
      `document.getElementById('found').shadowRoot.querySelector('canvas').getContext('2d').getImageData(${x}, ${y}, 1, 1).data[3]`,
    );
  expect([await alpha(10, 8), await alpha(2, 2)]).toEqual([255, 0]);
  await page()
    .locator('#found')
    .screenshot({ path: join(SHOTS, 'found.png') });
});
