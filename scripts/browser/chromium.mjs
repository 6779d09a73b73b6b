/** The Chromium that scripts measure in. */
import { existsSync, readFileSync } from 'node:fs';
import { UserError } from '@gpn/runtime';
import { chromium } from 'playwright-core';

const { paths, quiet, webgpu } = JSON.parse(
  readFileSync(new URL('../../test/platforms/chromium.json', import.meta.url), 'utf8'),
);

/** WebGPU on a software adapter. */
export const WEBGPU = webgpu;

// A visitor's tab is in front.
const FLAGS = [...quiet, '--disable-renderer-backgrounding'];

/**
 * Opens the system's Chromium, or Playwright's.
 * @throws UserError if there is none
 */
export async function openBrowser(flags = []) {
  const executablePath = [...paths, chromium.executablePath()].find(existsSync);
  if (!executablePath) {
    throw new UserError('There is no Chromium here: `npm run browser` gets one.');
  }
  return chromium.launch({ executablePath, headless: true, args: [...FLAGS, ...flags] });
}
