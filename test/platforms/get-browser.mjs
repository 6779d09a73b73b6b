/**
 * `npm run browser`: gets a Chromium for the tests of pages. Root on Debian gets Debian's package,
 * which brings a Vulkan driver in software as well; anyone else gets Playwright's own download.
 * Debian's, if it is there already, is left alone.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const succeeds = (command, args, errors = 'inherit') =>
  spawnSync(command, args, {
    stdio: ['ignore', 'ignore', errors],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0;

const apt = (errors, ...args) => succeeds('apt-get', ['-qq', '-y', ...args], errors);
const PACKAGES = ['install', '--no-install-recommends', 'chromium', 'libvulkan1'];

/** The first try succeeds offline too if the packages are there. */
const installed = () =>
  apt('ignore', ...PACKAGES) || (apt('inherit', 'update') && apt('inherit', ...PACKAGES));

const playwright = join(
  dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')),
  'cli.js',
);

/** Ways to get a browser, the best first, and what each is called. */
const WAYS = [
  ['the one that is installed', () => existsSync('/usr/lib/chromium/vk_swiftshader_icd.json')],
  ['Debian’s package', () => process.getuid?.() === 0 && installed()],
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
