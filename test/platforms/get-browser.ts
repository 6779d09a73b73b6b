/**
 * Before the tests of `npm test`: gets a browser where there is none, Debian's package where it may
 * be installed, else Playwright's own download. Without one the tests that take a browser are
 * skipped, and named in the last lines of the run.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { findChromium } from './chromium.js';

const succeeds = (command: string, args: string[], stdio: 'ignore' | 'inherit'): boolean =>
  spawnSync(command, args, {
    stdio,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0;

const apt = (...args: string[]) => succeeds('apt-get', [...args, '-qq', '-y'], 'ignore');

const playwright = join(
  dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')),
  'cli.js',
);

/** Ways to get a browser, and what is said of each. */
const WAYS: [string, () => boolean][] = [
  [
    'installing Debian’s package',
    () =>
      process.getuid?.() === 0 &&
      apt('update') &&
      apt('install', '--no-install-recommends', 'chromium', 'libvulkan1'),
  ],
  [
    'downloading Playwright’s',
    () => succeeds(process.execPath, [playwright, 'install', 'chromium', '--no-shell'], 'inherit'),
  ],
];

export function getBrowser(): string | undefined {
  for (const [way, get] of WAYS) {
    const found = findChromium();
    if (found !== undefined) return found;
    console.log(`There is no Chromium here: ${way} …`);
    if (!get()) console.log('That did not work.');
  }
  return findChromium();
}

/** Vitest calls this once. Runs of a few tests, without npm, take what there is. */
export default function setup(): void {
  if (process.env.npm_lifecycle_event !== 'test') return;
  if (getBrowser() === undefined) console.log('No Chromium could be had: see the last lines.');
}
