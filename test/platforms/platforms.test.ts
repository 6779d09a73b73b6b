/**
 * The packed packages on four platforms: the same seed means the same latents, bit for bit, and
 * the same pixels within what a platform is allowed. Node's CPU is what the others are held to.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Site, serveFolder } from '../../cli/src/web/site.js';
import { scratchFolder } from '../cli.js';
import { root } from '../imports.js';
import { installPacked } from '../pack.js';
import {
  findChromium,
  launch,
  NO_CHROMIUM,
  NO_VULKAN,
  newPage,
  softwareVulkan,
  WEBGPU,
} from './chromium.js';
import { exported, fragmentJudge, residual } from './model.js';
import { trainedByGuide } from './own-network.js';

const RUNTIME = '/node_modules/@gpn/runtime';
/** A copy: the server does not follow the links that installed packages are here. */
const ASSETS = '/ort/';

/** What every platform tells: arrays as hexadecimal text, so that no digit is lost on the way. */
interface Drawn {
  device: string;
  reason: string;
  latents: string;
  walk: string;
  images: string;
  /** Of the guide's network with attention, and of `resnet`, which convolves in groups. */
  attention: string;
  residual: string;
  scores: string;
  map: string;
  verified: { ok: boolean; difference: number; tolerance: number };
}

const SOURCES = JSON.stringify({
  generator: 'generator.onnx',
  discriminator: 'discriminator.onnx',
  fragments: 'fragments.onnx',
  attention: 'attention.onnx',
  residual: 'residual.onnx',
});

/**
 * Runs on each platform, as text. `runtime` is the package; images are few, as software is slow.
 */
const PROGRAM = `async (runtime, sources, options) => {
  const { Generator, Discriminator, latents, pathOf } = runtime;
  const hex = ({ buffer, byteOffset, byteLength }) =>
    Array.from(new Uint8Array(buffer, byteOffset, byteLength), (b) => b.toString(16).padStart(2, '0')).join('');
  const generator = await Generator.load(sources.generator, options);
  const discriminator = await Discriminator.load(sources.discriminator, options);
  const fragments = await Discriminator.load(sources.fragments, options);
  const images = await generator.sample({ count: 8, seed: 7 });
  const drawn = {};
  for (const name of ['attention', 'residual']) {
    const other = await Generator.load(sources[name], options);
    drawn[name] = hex((await other.sample({ count: 3, seed: 7 })).data);
    await other.dispose();
  }
  const { width, height, range } = images;
  const picture = { width, height, range, data: images.data.slice(0, width * height) };
  const result = {
    device: generator.device,
    reason: generator.reason,
    latents: hex(latents(generator.info, 1000, 7)),
    walk: hex(pathOf(generator.info, 1, 2, 50).latents),
    images: hex(images.data),
    ...drawn,
    scores: hex((await discriminator.score(images)).values),
    map: hex((await fragments.scoreMap(picture)).values),
    verified: await generator.verify(),
  };
  await generator.dispose();
  await discriminator.dispose();
  await fragments.dispose();
  return result;
}`;

const floats = (hex: string): Float32Array => {
  const { buffer, byteOffset, byteLength } = Buffer.from(hex, 'hex');
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
};

const largest = (a: string, b: string): number => {
  const other = floats(b);
  return floats(a).reduce((worst, v, i) => Math.max(worst, Math.abs(v - (other[i] as number))), 0);
};

const consumer = scratchFolder();
const table: string[] = [];
let site: Site;
let browserPath: string | undefined;
let cpu: Drawn;
const browsers: Browser[] = [];

beforeAll(async () => {
  browserPath = findChromium();
  installPacked(consumer, []);
  for (const role of ['generator', 'discriminator'] as const) {
    writeFileSync(join(consumer, `${role}.onnx`), await exported(role));
  }
  writeFileSync(join(consumer, 'fragments.onnx'), await fragmentJudge(6, 4));
  writeFileSync(join(consumer, 'residual.onnx'), await residual());
  writeFileSync(join(consumer, 'attention.onnx'), await trainedByGuide());
  writeFileSync(join(consumer, 'index.html'), '<!doctype html><title>platforms</title>');
  cpSync(join(root, 'node_modules/onnxruntime-web/dist'), join(consumer, 'ort'), {
    recursive: true,
  });
  site = await serveFolder(consumer);
  cpu = inNode('cpu');
});

afterAll(async () => {
  if (table.length > 0) console.log(['Against Node’s CPU:', ...table].join('\n  '));
  for (const browser of browsers) await browser.close();
  site?.close();
  rmSync(consumer, { recursive: true, force: true });
});

function inNode(device: string, env = {}): Drawn {
  const text = `import * as runtime from '@gpn/runtime';
    const sources = ${SOURCES};
    console.log(JSON.stringify(await (${PROGRAM})(runtime, sources, { device: '${device}' })));`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', text], {
    cwd: consumer,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(printed.trim().split('\n').at(-1) as string);
}

async function open(flags: string[] = []): Promise<Page> {
  const browser = await launch(browserPath as string, flags);
  browsers.push(browser);
  const page = await newPage(browser);
  await page.goto(`${site.url}/index.html`);
  return page;
}

const inPage = (page: Page, device: string): Promise<Drawn> =>
  page.evaluate(`(async () => {
    const runtime = await import('${RUNTIME}/dist/web/index.js');
    const sources = ${SOURCES};
    return (${PROGRAM})(runtime, sources, { device: '${device}', assets: '${ASSETS}' });
  })()`);

function compare(platform: string, drawn: Drawn, tolerance: number): void {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);
  const images = largest(drawn.images, cpu.images);
  const [scores, map] = [largest(drawn.scores, cpu.scores), largest(drawn.map, cpu.map)];
  table.push(
    `${platform.padEnd(16)} latents ${hash(drawn.latents)}, walk ${hash(drawn.walk)}, ` +
      `images ${images.toExponential(1)}, scores ${scores.toExponential(1)}, map ${map.toExponential(1)}, ` +
      `certificate ${drawn.verified.difference.toExponential(1)} (${drawn.reason})`,
  );
  expect(drawn.latents).toBe(cpu.latents);
  expect(drawn.walk).toBe(cpu.walk);
  expect(images).toBeLessThanOrEqual(tolerance);
  expect(largest(drawn.attention, cpu.attention)).toBeLessThanOrEqual(tolerance);
  expect(largest(drawn.residual, cpu.residual)).toBeLessThanOrEqual(tolerance);
  // A logit has no bounds: measured in its own size.
  const size = (hex: string) => Math.max(1, ...floats(hex).map(Math.abs));
  expect(scores / size(cpu.scores)).toBeLessThanOrEqual(tolerance);
  expect(map / size(cpu.map)).toBeLessThanOrEqual(tolerance);
  expect(drawn.verified.ok).toBe(true);
}

describe('the packed runtime with one seed', () => {
  test('draws images that vary on Node’s CPU', () => {
    compare('Node CPU', cpu, 0);
    const deviation = (hex: string): number => {
      const pixels = floats(hex);
      const mean = pixels.reduce((a, b) => a + b) / pixels.length;
      return Math.sqrt(pixels.reduce((sum, v) => sum + (v - mean) ** 2, 0) / pixels.length);
    };
    expect(deviation(cpu.images)).toBeGreaterThan(0.1);
    expect(deviation(cpu.residual)).toBeGreaterThan(0.1);
    expect(deviation(cpu.attention)).toBeGreaterThan(1e-4); // of twenty steps
    expect(cpu.device).toBe('cpu');
  });

  test('draws on Node’s WebGPU what it draws on the CPU', ({ skip }) => {
    const vulkan = softwareVulkan();
    if (vulkan === undefined) skip(NO_VULKAN);
    const drawn = inNode('webgpu', vulkan);
    expect(drawn.device).toBe('webgpu');
    compare('Node WebGPU', drawn, 1e-4);
  });

  test('draws in a browser’s WebAssembly what it draws on Node’s CPU', async ({ skip }) => {
    if (browserPath === undefined) skip(NO_CHROMIUM);
    const drawn = await inPage(await open(), 'auto');
    expect(drawn.device).toBe('wasm');
    compare('Chromium wasm', drawn, 1e-5);
  });

  test('draws the same in a browser’s WebGPU, which auto passes over if it is software', async ({
    skip,
  }) => {
    if (browserPath === undefined) skip(NO_CHROMIUM);
    const page = await open(WEBGPU);
    const drawn = await inPage(page, 'webgpu');
    expect([drawn.device, drawn.reason]).toEqual([
      'webgpu',
      'webgpu: as asked, a software adapter',
    ]);
    compare('Chromium WebGPU', drawn, 1e-4);
    const auto = await inPage(page, 'auto');
    expect(auto.reason).toMatch(/^webgpu: its adapter is software, not a GPU; using wasm/);
  });
});
