/**
 * A Firefox to test with: Debian's or the system's, driven by WebDriver BiDi, because Playwright drives
 * only its own build. Without one the tests that need it are skipped, and named in the last lines of the
 * run; if GPN_FIREFOX is `required`, as in `.ci/run`, they fail.
 */
import { existsSync } from 'node:fs';
import { type Browser, launch } from 'puppeteer-core';

const SYSTEM = ['/usr/bin/firefox-esr', '/usr/bin/firefox'];

/** Why a test that needs Firefox is skipped, or fails. */
export const NO_FIREFOX = 'there is no Firefox here, and `npm run browser -- firefox` gets one';

/** In milliseconds: long enough for a machine that is many times slower; a test ends later still. */
const PATIENCE = 300_000;

/** The browser's path; undefined if there is none. @throws Error if it must be there */
export function findFirefox(): string | undefined {
  const found = SYSTEM.find(existsSync);
  if (found === undefined && process.env.GPN_FIREFOX === 'required') throw new Error(NO_FIREFOX);
  return found;
}

/** A Firefox for which every name is this machine. */
export const launchFirefox = (executablePath: string): Promise<Browser> =>
  launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    timeout: PATIENCE,
    protocolTimeout: PATIENCE,
    extraPrefsFirefox: {
      'network.dns.forceResolve': '127.0.0.1',
      'security.fileuri.strict_origin_policy': true, // as users have it; the driver turns it off
    },
  });
