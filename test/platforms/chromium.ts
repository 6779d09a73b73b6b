/** A Chromium to test with: the system's, or Debian's package where it may be installed. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Debian's Chromium brings this Vulkan driver in software, which Node's WebGPU can use too. */
export const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** The browser's path, after an attempt to install it; undefined where there is none to be had. */
export function findChromium(): string | undefined {
  const found = PATHS.find(existsSync);
  if (found !== undefined || process.getuid?.() !== 0) return found;
  console.log('No Chromium is here: installing Debian’s package, as root may.');
  const apt = (...args: string[]) =>
    spawnSync('apt-get', [...args, '-qq', '-y'], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  if (!(apt('update') && apt('install', '--no-install-recommends', 'chromium', 'libvulkan1'))) {
    console.log('Chromium could not be installed.');
  }
  return PATHS.find(existsSync);
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
