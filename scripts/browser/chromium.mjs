/** The Chromium that scripts measure in. */
import { existsSync } from 'node:fs';
import { UserError } from '@gpn/runtime';
import { chromium } from 'playwright-core';

const SYSTEM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const QUIET = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-renderer-backgrounding', // a visitor's tab is in front
];

/** WebGPU on a software adapter. */
export const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/**
 * Opens the system's Chromium, or Playwright's.
 * @throws UserError if there is none
 */
export async function openBrowser(flags = []) {
  const executablePath = [...SYSTEM, chromium.executablePath()].find(existsSync);
  if (!executablePath) {
    throw new UserError('There is no Chromium here: `npm run browser` gets one.');
  }
  return chromium.launch({ executablePath, headless: true, args: [...QUIET, ...flags] });
}
