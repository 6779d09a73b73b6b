/** A Chromium to test with: the system's, or the one that Playwright keeps. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const SYSTEM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Why a test that takes a browser is skipped. */
export const NO_CHROMIUM = 'there is no Chromium here, and npm test could not get one';

/** The browser's path; undefined where there is none. */
export const findChromium = (): string | undefined =>
  [...SYSTEM, chromium.executablePath()].find(existsSync);

const ICD = 'vk_swiftshader_icd.json';

/**
 * The environment in which Node's WebGPU finds the Vulkan driver in software that a Chromium
 * brings; undefined where there is none. Playwright's brings Vulkan's loader too.
 */
export function softwareVulkan(): Record<string, string> | undefined {
  const folders = ['/usr/lib/chromium', dirname(chromium.executablePath())];
  const folder = folders.find((path) => existsSync(join(path, ICD)));
  if (folder === undefined) return undefined;
  const loader = existsSync(join(folder, 'libvulkan.so.1'));
  return { VK_ICD_FILENAMES: join(folder, ICD), ...(loader && { LD_LIBRARY_PATH: folder }) };
}

const QUIET = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** WebGPU on a software adapter. */
export const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

export const launch = (executablePath: string, flags: string[] = []): Promise<Browser> =>
  chromium.launch({ executablePath, headless: true, args: [...QUIET, ...flags] });
