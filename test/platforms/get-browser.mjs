/**
 * `npm run browser`: gets a Chromium for the tests of pages. Root on Debian gets Debian's package,
 * which brings a Vulkan driver in software as well; anyone else gets Playwright's own download.
 * Debian's, if it is there already, is left alone. `npm run browser -- firefox`, `-- nginx` and `-- redis` get a
 * second browser, a host and the server of queues, from Debian alone.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { installed, succeeds } from '../debian.mjs';

const debian = (...packages) => ['Debian’s package', () => installed(...packages)];
const present = (path) => ['the one that is installed', () => existsSync(path)];

const playwright = join(
  dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')),
  'cli.js',
);

/** What can be got: the ways to get it, the best first, and what each is called. */
const WAYS = {
  chromium: [
    present('/usr/lib/chromium/vk_swiftshader_icd.json'),
    debian('chromium', 'libvulkan1'),
    [
      'Playwright’s download',
      () => succeeds(process.execPath, [playwright, 'install', 'chromium', '--no-shell']),
    ],
  ],
  firefox: [present('/usr/bin/firefox-esr'), debian('firefox-esr')],
  nginx: [present('/usr/sbin/nginx'), debian('nginx')],
  redis: [present('/usr/bin/redis-server'), debian('redis-server')],
};

const [name = 'chromium'] = process.argv.slice(2);
const found = WAYS[name]?.find(([way, get]) => {
  console.log(`Getting ${name}: ${way} …`);
  return get();
});
console.log(found ? `There is ${name} now: ${found[0]}.` : `No ${name} could be had.`);
process.exitCode = found ? 0 : 1;
