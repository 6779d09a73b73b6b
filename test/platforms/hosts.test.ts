/** One site of `export-web` wherever pages live, in Chromium and Firefox. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gpn, scratchFolder } from '../cli.js';
import { root } from '../imports.js';
import { findChromium, launch, NO_CHROMIUM } from './chromium.js';
import { findFirefox, launchFirefox, NO_FIREFOX } from './firefox.js';
import { POLICY, serve } from './host.js';
import { exported } from './model.js';
import { hasNginx, NO_NGINX, startNginx } from './nginx.js';

const folder = scratchFolder();
const site = join(folder, 'site');
const SHOTS = join(root, 'scratch/screenshots');

/** In milliseconds: long enough for a machine that is many times slower; a test ends later still. */
const PATIENCE = 300_000;

/** What both drivers call alike. */
interface Page {
  setDefaultNavigationTimeout(ms: number): void;
  goto(url: string): Promise<unknown>;
  evaluate(text: string): Promise<unknown>;
  screenshot(options: { path: `${string}.png` }): Promise<unknown>;
  close(): Promise<void>;
}

interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

/** Every name is this machine, but only `localhost` and its addresses are secure without HTTPS. */
const NAMES = '--host-resolver-rules=MAP site.test 127.0.0.1';

const BROWSERS: Record<string, { start(): Promise<Browser> | undefined; absent: string }> = {
  Chromium: {
    start: () => {
      const path = findChromium();
      return path === undefined ? undefined : launch(path, [NAMES]);
    },
    absent: NO_CHROMIUM,
  },
  Firefox: {
    start: () => {
      const path = findFirefox();
      return path === undefined ? undefined : (launchFirefox(path) as Promise<Browser>);
    },
    absent: NO_FIREFOX,
  },
};

beforeAll(async () => {
  for (const role of ['generator', 'discriminator'] as const) {
    writeFileSync(join(folder, `${role}.onnx`), await exported(role));
  }
  const models = ['generator.onnx', 'discriminator.onnx'];
  const { code, stderr } = gpn(folder, 'export-web', ...models, '-o', 'site');
  expect(code, stderr).toBe(0);
  chmodSync(folder, 0o755); // nginx has a user of its own
  mkdirSync(SHOTS, { recursive: true });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.entries(BROWSERS))('in %s', (name, { start, absent }) => {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await start();
  });
  afterAll(async () => {
    await browser?.close();
  });

  const inBrowser = (title: string, body: (browser: Browser) => Promise<void>, reason?: string) =>
    test(title, async ({ skip }) => {
      if (browser === undefined) skip(absent);
      if (reason !== undefined) skip(reason);
      await body(browser as Browser);
    });

  const newPage = async (): Promise<Page> => {
    const page = await (browser as Browser).newPage();
    page.setDefaultNavigationTimeout(PATIENCE);
    return page;
  };

  const shot = (page: Page, of: string) =>
    page.screenshot({ path: `${join(SHOTS, `${name}-${of}`)}.png` });

  /** Runs `body` with a page, and keeps a picture of how it ends. */
  async function withPage<T>(
    url: string,
    of: string,
    body: (page: Page) => Promise<T>,
  ): Promise<T> {
    const page = await newPage();
    try {
      await page.goto(url);
      return await body(page);
    } finally {
      await shot(page, of);
      await page.close();
    }
  }

  /** The last words of the page's element: what it has drawn, or why it has not. */
  const status = (page: Page) =>
    page.evaluate(`(async () => {
      const { shadowRoot } = document.querySelector('gpn-generator, gpn-score-map');
      for (;;) {
        const status = shadowRoot.querySelector('.status');
        if (status?.matches('.error') || /drawn by/.test(status?.textContent)) return status.textContent;
        await new Promise((again) => setTimeout(again, 50));
      }
    })()`);

  const DRAWN = /^36 images drawn by platform-generator, seed 7, on wasm in \d+ ms$/;

  /** A page that has drawn what its poster shows, and looks as it should. */
  const expectDrawn = (url: string, of: string) =>
    withPage(url, of, async (page) => {
      expect(await status(page)).toMatch(DRAWN);
      const { values, difference, radius } = (await page.evaluate(`(() => {
        const element = document.querySelector('gpn-generator');
        const pixels = (picture, width, height) => {
          const context = new OffscreenCanvas(width, height).getContext('2d');
          context.drawImage(picture, 0, 0);
          return context.getImageData(0, 0, width, height).data;
        };
        const canvas = element.shadowRoot.querySelector('canvas');
        const drawn = pixels(canvas, canvas.width, canvas.height);
        const poster = pixels(element.querySelector('img'), canvas.width, canvas.height);
        return {
          values: new Set(drawn).size,
          difference: Math.max(...drawn.map((value, i) => Math.abs(value - poster[i]))),
          radius: getComputedStyle(element.shadowRoot.querySelector('button')).borderRadius,
        };
      })()`)) as { values: number; difference: number; radius: string };
      expect(values).toBeGreaterThan(100);
      expect(difference).toBeLessThanOrEqual(1); // a value next to the middle of two may be rounded either way
      expect(radius).toBe('999px');
      return page.evaluate('isSecureContext');
    });

  inBrowser(
    'a site draws on stock nginx, over plain HTTP and by a name',
    async () => {
      const nginx = await startNginx(site, join(folder, `nginx-${name}`));
      try {
        expect(await expectDrawn(`http://site.test:${nginx.port}/`, 'nginx')).toBe(false);
      } finally {
        nginx.close();
      }
    },
    hasNginx() ? undefined : NO_NGINX,
  );

  inBrowser('a site draws below a sub-path under the strictest policy', async () => {
    const host = await serve(folder, { policy: POLICY });
    try {
      await expectDrawn(`http://127.0.0.1:${host.port}/site/`, 'policy');
      expect(host.reports).toEqual([]);
    } finally {
      host.close();
    }
  });

  inBrowser('a policy that forbids WebAssembly is named', async () => {
    const host = await serve(site, { policy: "default-src 'self'" });
    try {
      const said = await withPage(`http://127.0.0.1:${host.port}/`, 'no-wasm', status);
      expect(said).toBe(
        "The site's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its script-src.",
      );
    } finally {
      host.close();
    }
  });

  inBrowser(
    'a page that is opened as a file says what to do, and has no dead buttons',
    async () => {
      const url = pathToFileURL(join(site, 'index.html')).href;
      const [notice, fields] = (await withPage(url, 'file', (page) =>
        page.evaluate(`[
        document.querySelector('.notice')?.textContent,
        [...document.querySelectorAll('button, input, select')].filter((e) => e.checkVisibility()).length,
      ]`),
      )) as [string, number];
      expect(notice).toMatch(/^This page was opened as a file, .* `python3 -m http\.server`/);
      expect(fields).toBe(0);
    },
  );

  inBrowser(
    'a site works without a network once it was visited, and follows a new export',
    async () => {
      const files = join(folder, `offline-${name}`);
      const make = (title: string) => {
        const models = ['generator.onnx', 'discriminator.onnx'];
        const args = [...models, '-o', files, '--title', title];
        expect(gpn(folder, 'export-web', ...args)).toMatchObject({ code: 0 });
      };
      make('First');
      let host = await serve(files);
      const { port } = host;
      const url = `http://127.0.0.1:${port}/`;
      /** The number of files that are kept, once the worker has kept those of the newest export. */
      const kept = (page: Page) =>
        page.evaluate(`(async () => {
        const script = await (await fetch('sw.js')).text();
        const wanted = JSON.parse(/= (\\{[^}]*\\})/.exec(script)[1]);
        const keys = ['?files', ...Object.entries(wanted).map(([path, digest]) => path + '?' + encodeURIComponent(digest))].sort().join();
        for (;;) {
          const cache = await caches.open('gpn-site ' + location.href);
          const found = (await cache.keys()).map(({ url }) => url.slice(location.href.length)).sort().join();
          // A page that opens in the instant in which the worker becomes active can hang in Chromium.
          const { active, installing } = await navigator.serviceWorker.ready;
          if (found === keys && active.state === 'activated' && !installing) return Object.keys(wanted).length;
          await new Promise((again) => setTimeout(again, 50));
        }
      })()`);
      const titleOf = (page: Page) => page.evaluate('document.title');
      try {
        const page = await newPage();
        await page.goto(url);
        expect(await status(page)).toMatch(DRAWN);
        expect(await kept(page)).toBeGreaterThan(40);
        host.close();
        await page.goto(`${url}?again`);
        expect(await status(page)).toMatch(DRAWN);
        await page.goto(`${url}score.html`); // never opened before, so its model is not there
        expect(await status(page)).toMatch(/-discriminator\.onnx cannot be fetched/);
        make('Second');
        host = await serve(files, { port });
        await page.goto(url);
        expect(await titleOf(page)).toBe('Second');
        expect(await kept(page)).toBeGreaterThan(40);
        host.close();
        await page.goto(`${url}?again`);
        expect(await titleOf(page)).toBe('Second');
        expect(await status(page)).toMatch(DRAWN);
        await shot(page, 'offline');
        await page.close();
      } finally {
        host.close();
      }
    },
  );
});
