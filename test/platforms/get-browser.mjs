/**
 * `npm run browser`: gets a Chromium for the tests of pages. Root on Debian gets Debian's package,
 * which brings a Vulkan driver in software as well; anyone else gets Playwright's own download.
 * Debian's, if it is there already, is left alone.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { installed, succeeds } from '../debian.mjs';

const playwright = join(
  dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')),
  'cli.js',
);

/** Ways to get a browser, the best first, and what each is called. */
const WAYS = [
  ['the one that is installed', () => existsSync('/usr/lib/chromium/vk_swiftshader_icd.json')],
  ['Debian’s package', () => installed('chromium', 'libvulkan1')],
  [
    'Playwright’s download',
    () => succeeds(process.execPath, [playwright, 'install', 'chromium', '--no-shell']),
  ],
];

const found = WAYS.find(([name, get]) => {
  console.log(`Getting a Chromium: ${name} …`);
  return get();
});
console.log(found ? `There is a Chromium now: ${found[0]}.` : 'No Chromium could be had.');
process.exitCode = found ? 0 : 1;
