/** The server of `export-web --serve`: what it gives, what it refuses, and that it lasts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generatorFile } from '../../runtime/test/tiny.js';
import { bin, scratchFolder } from '../../test/cli.js';
import { type Site, serveFolder } from '../src/web/site.js';

const folder = scratchFolder();
const root = join(folder, 'site');
const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
let site: Site;

beforeAll(async () => {
  mkdirSync(join(root, 'inner'), { recursive: true });
  writeFileSync(join(root, 'index.html'), '<!doctype html>');
  writeFileSync(join(root, 'inner/model.onnx'), BYTES);
  writeFileSync(join(root, '.hidden'), 'secret');
  writeFileSync(join(folder, 'outside.txt'), 'secret');
  symlinkSync(join(folder, 'outside.txt'), join(root, 'link-out'));
  symlinkSync(folder, join(root, 'folder-out'));
  symlinkSync(join(root, 'inner/model.onnx'), join(root, 'link-in.onnx'));
  site = await serveFolder(root);
});
afterAll(() => {
  site.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (path: string, init?: RequestInit) => fetch(`${site.url}${path}`, init);
const model = (headers: Record<string, string>, method = 'GET') =>
  ask('/inner/model.onnx', { method, headers });
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

test.each(['/', '/index.html', '/link-in.onnx'])('the server gives %s', async (path) => {
  expect((await ask(path)).status).toBe(200);
});

test.each([
  ['/link-out', '/folder-out/outside.txt', '/folder-out/', '/folder-out/tiny.onnx'],
  ['/..%2foutside.txt', '/%2e%2e/outside.txt', '/inner/..%2f..%2foutside.txt', '/%zz'],
  ['/.hidden', '/%2ehidden', '/inner', '/inner/', '/none'],
])('the server refuses %s and its like', async (...paths) => {
  for (const path of paths) expect([path, (await ask(path)).status]).toEqual([path, 404]);
});

test('a path that leads upwards as it stands is refused, too', async () => {
  const { port } = new URL(site.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.end('GET /../outside.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /);
});

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is not allowed', async (method) => {
  const response = await model({}, method);
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test('HEAD tells the length of a file and sends nothing', async () => {
  const response = await model({}, 'HEAD');
  expect([response.status, response.headers.get('content-length')]).toEqual([200, '1000']);
  expect(await bytesOf(response)).toHaveLength(0);
});

describe('a request for a part of a file', () => {
  test.each([
    ['bytes=0-0', 0, 1],
    ['bytes=200-299', 200, 300],
    ['bytes=990-', 990, 1000],
    ['bytes=990-5000', 990, 1000],
    ['bytes=-10', 990, 1000],
  ])('%s gets it', async (range, from, to) => {
    const response = await model({ range });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/1000`);
    expect(await bytesOf(response)).toEqual(BYTES.subarray(from, to));
  });

  test.each(['bytes=1000-', 'bytes=5-4'])('%s is refused', async (range) => {
    const response = await model({ range });
    expect([response.status, response.headers.get('content-range')]).toEqual([416, 'bytes */1000']);
  });

  test.each([
    [{ range: 'bytes=0-1,4-5' }],
    [{ range: 'lines=1-2' }],
    [{ range: 'bytes=500-', 'if-range': 'W/"another"' }],
  ])('%j gets the whole file', async (headers) => {
    const response = await model(headers);
    expect(response.status).toBe(200);
    expect(await bytesOf(response)).toEqual(BYTES);
  });
});

test('a file that has not changed is not sent again', async () => {
  const etag = (await model({})).headers.get('etag') as string;
  const again = (etag: string) =>
    // Without a header of its own, Node's fetch asks for a copy past all caches.
    model({ 'if-none-match': etag, 'cache-control': 'max-age=0' }).then(({ status }) => status);
  expect([await again(etag), await again('W/"another"')]).toEqual([304, 200]);
});

test.skipIf(process.platform === 'win32')(
  'the command goes on to serve after more cut downloads than it may open files',
  async () => {
    const LIMIT = 100;
    writeFileSync(join(folder, 'tiny.onnx'), generatorFile());
    const command = `ulimit -n ${LIMIT}; exec "$0" "$@"`;
    const args = ['export-web', 'tiny.onnx', '-o', 'served', '--serve', String(await freePort())];
    const server = spawn('sh', ['-c', command, process.execPath, bin, ...args], { cwd: folder });
    try {
      let said = '';
      while (!/Open (http:\S+)\//.test(said)) said += (await once(server.stdout, 'data'))[0];
      const [, url = ''] = /Open (http:\S+)\//.exec(said) ?? [];
      const { port } = new URL(url);
      const cut = async () => {
        const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
        socket.write('GET /ort/ort-wasm-simd-threaded.wasm HTTP/1.1\r\nHost: x\r\n\r\n');
        // The answer begins, or at the limit the connection ends.
        await new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
        return socket;
      };
      for (let k = 0; k < 2 * LIMIT; k++) (await cut()).destroy(); // one after another
      const held = await Promise.all(Array.from({ length: LIMIT }, cut)); // and all at once
      for (const socket of held) socket.destroy();
      await expect.poll(() => fetch(`${url}/`).then(({ status }) => status, String)).toBe(200);
      expect(server.exitCode).toBeNull();
    } finally {
      server.kill();
    }
  },
);

async function freePort(): Promise<number> {
  const free = await serveFolder(root);
  free.close();
  return Number(new URL(free.url).port);
}
