/** A server of files, as any static host is one: no special headers. */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { UserError } from '@gpn/runtime';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
  '.png': 'image/png',
};

export interface Site {
  url: string;
  close(): void;
}

/** The file that a request is for; undefined where there is none in the folder. */
function fileOf(folder: string, target: string): { path: string; size: number } | undefined {
  try {
    const { pathname } = new URL(target, 'http://localhost');
    // Made whole first: no `..` can lead out of the folder.
    const inside = normalize(`/${decodeURIComponent(pathname)}`);
    const path = join(folder, inside, inside.endsWith('/') ? 'index.html' : '');
    const found = statSync(path);
    return found.isFile() ? { path, size: found.size } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Serves a folder to this machine alone.
 *
 * @param port a free one unless given
 * @throws UserError where the port is taken
 */
export async function serveFolder(folder: string, port = 0): Promise<Site> {
  const server = createServer((request, response) => {
    const file = fileOf(folder, request.url ?? '/');
    if (file === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n');
      return;
    }
    const type = TYPES[extname(file.path)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-length': file.size });
    if (request.method === 'HEAD') response.end();
    else createReadStream(file.path).pipe(response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ message }) =>
      reject(new UserError(`Cannot serve on port ${port}: ${message}.`)),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
