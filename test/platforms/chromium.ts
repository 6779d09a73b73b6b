/**
 * A Chromium to test with: the system's, or the one that Playwright keeps. Without one the tests that
 * need it are skipped, and named in the last lines of the run; if GPN_BROWSER is `required`, as in
 * `.ci/run`, they fail.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Where a Chromium may be, and how it is started; scripts that measure read the same. */
const {
  paths: SYSTEM,
  quiet: QUIET,
  webgpu: WEBGPU,
} = JSON.parse(readFileSync(new URL('chromium.json', import.meta.url), 'utf8')) as Readonly<
  Record<'paths' | 'quiet' | 'webgpu', string[]>
>;

/** WebGPU on a software adapter. */
export { WEBGPU };

/** Why a test that needs a browser is skipped, or fails. */
export const NO_CHROMIUM = 'there is no Chromium here, and `npm run browser` gets one';
export const NO_VULKAN =
  'there is no Vulkan driver in software here, and `npm run browser` gets one';

/** What was found, if anything. @throws Error with the reason if it must be there */
function required<T>(found: T | undefined, reason: string): T | undefined {
  if (found === undefined && process.env.GPN_BROWSER === 'required') throw new Error(reason);
  return found;
}

/** The browser's path; undefined if there is none. */
export const findChromium = (): string | undefined =>
  required([...SYSTEM, chromium.executablePath()].find(existsSync), NO_CHROMIUM);

const ICD = 'vk_swiftshader_icd.json';

/**
 * The environment in which Node's WebGPU finds the Vulkan driver in software that a Chromium
 * brings; undefined if there is none. Playwright's brings Vulkan's loader too.
 */
export function softwareVulkan(): Record<string, string> | undefined {
  const folders = ['/usr/lib/chromium', dirname(chromium.executablePath())];
  const found = folders.find((path) => existsSync(join(path, ICD)));
  const folder = required(found, NO_VULKAN);
  if (folder === undefined) return undefined;
  const loader = existsSync(join(folder, 'libvulkan.so.1'));
  return { VK_ICD_FILENAMES: join(folder, ICD), ...(loader && { LD_LIBRARY_PATH: folder }) };
}

/** In milliseconds: long enough for a machine that is many times slower; a test ends later still. */
const PATIENCE = 300_000;

export const launch = (executablePath: string, flags: string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath,
    headless: true,
    timeout: PATIENCE,
    args: [...QUIET, ...flags],
  });

export async function newPage(browser: Browser, options?: BrowserContextOptions): Promise<Page> {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(PATIENCE);
  return page;
}
