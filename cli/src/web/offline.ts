/** The service worker that lets the pages of `export-web` open without a network. */
import { createHash } from 'node:crypto';
import type { WebFile } from '@gpn/runtime';

/**
 * Models are kept by the runtime, under their digests, once they have been loaded. Without a network the
 * build of ONNX Runtime for WebAssembly stands in for the one for WebGPU, which is twice as large.
 */
const isKept = ({ path }: WebFile): boolean => !/^models\/.*\.onnx$|webgpu|asyncify/.test(path);

/** A file's digest in the form in which browsers check it. */
const integrityOf = ({ bytes }: WebFile): string =>
  `sha256-${createHash('sha256').update(bytes).digest('base64')}`;

/** The script of the worker, for the files of a site. It changes whenever one of them does. */
export const serviceWorker = (files: readonly WebFile[]): WebFile => {
  const kept = Object.fromEntries(
    files.filter(isKept).map((file) => [file.path, integrityOf(file)]),
  );
  const text = `const FILES = ${JSON.stringify(kept, null, 2)};\n${PROGRAM}`;
  return { path: 'sw.js', bytes: new TextEncoder().encode(text) };
};

const PROGRAM = `
const opened = caches.open('gpn-site ' + registration.scope);
const TABLE = new URL('?files', registration.scope).href;

// A file's digest is part of its key: what did not change is not fetched again, nor confused.
const keyOf = (path, digest) => new URL(path + '?' + encodeURIComponent(digest), registration.scope).href;

async function keep([path, integrity]) {
  const cache = await opened;
  const key = keyOf(path, integrity);
  if (await cache.match(key)) return;
  const { ok, status, body, headers } = await fetch(path, { cache: 'no-cache', integrity });
  if (!ok) throw new Error(path + ': the server answers ' + status);
  // A new response, because one that was redirected cannot answer for a page.
  await cache.put(key, new Response(body, { headers }));
}

// Once all files are kept, the table of them takes the place of the earlier one in a single step, for
// whichever worker answers. So none needs to skip the wait for its turn, over which Chromium can hang.
async function install() {
  const files = Object.entries(FILES);
  await Promise.all(files.map(keep));
  const cache = await opened;
  await cache.put(TABLE, new Response(JSON.stringify(FILES)));
  const current = new Set([TABLE, ...files.map(([path, digest]) => keyOf(path, digest))]);
  const kept = await cache.keys();
  await Promise.all(kept.filter(({ url }) => !current.has(url)).map((key) => cache.delete(key)));
}

async function kept(path) {
  const cache = await opened;
  const files = await (await cache.match(TABLE))?.json();
  return (files?.[path] && (await cache.match(keyOf(path, files[path])))) || Response.error();
}

/** The file of this site that a URL asks for, or undefined. */
function fileOf(url) {
  const { origin, pathname } = new URL(url);
  const scope = new URL(registration.scope);
  if (origin !== scope.origin || !pathname.startsWith(scope.pathname)) return undefined;
  const path = decodeURI(pathname.slice(scope.pathname.length));
  return [path, path + '.html', path + 'index.html'].find((name) => Object.hasOwn(FILES, name));
}

addEventListener('install', (event) => event.waitUntil(install()));

// The network comes first, so a page is never older than its site.
addEventListener('fetch', (event) => {
  const path = event.request.method === 'GET' ? fileOf(event.request.url) : undefined;
  if (path !== undefined) event.respondWith(fetch(event.request).catch(() => kept(path)));
});
`;
