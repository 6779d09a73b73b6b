/** A server of a folder of files, like any static host: no special headers. */
import { accessSync, constants, realpathSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, sep } from 'node:path';
import { UserError } from '@gpn/runtime';
import sirv from 'sirv';

export interface Site {
  url: string;
  close(): void;
}

/**
 * The path of the file that a request asks for, within `root`; undefined if there is no such file,
 * if its name or that of a folder begins with a dot, or if a link leads out of `root`.
 */
function pathOf(root: string, target: string): string | undefined {
  try {
    const { pathname } = new URL(target, 'http://localhost'); // resolves `..`
    const path = `${pathname}${pathname.endsWith('/') ? 'index.html' : ''}`;
    const real = realpathSync(join(root, decodeURI(path)));
    accessSync(real, constants.R_OK);
    const inside = real.startsWith(root + sep);
    return inside && !/\/\./.test(decodeURIComponent(path)) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a request asks for bytes in a form that the server knows, `bytes=FROM-` or `FROM-TO`. */
function asksForPart({ headers }: IncomingMessage): boolean {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  return from !== undefined && (!to || Number(to) >= Number(from));
}

/**
 * Serves a folder to this machine only, for GET and HEAD, with ETags and ranges of bytes.
 *
 * @param port 0 takes a free one
 * @throws UserError if the port is taken
 */
export async function serveFolder(folder: string, port = 0): Promise<Site> {
  const root = realpathSync(folder);
  const serve = sirv(root, {
    dev: true, // files are looked up at each request: a new export takes the place of the old one
    etag: true,
    extensions: [],
    setHeaders: (response, path) => {
      if (path.endsWith('.onnx')) response.setHeader('content-type', 'application/octet-stream');
    },
  });
  const server = createServer((request, response) => {
    const refuse = (code: number, text: string): void => {
      response.writeHead(code, { 'content-type': 'text/plain' }).end(`${text}\n`);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      refuse(405, 'Method not allowed');
      return;
    }
    const path = pathOf(root, request.url ?? '/');
    if (path === undefined) {
      refuse(404, 'Not found');
      return;
    }
    request.url = path;
    // Other ranges may be ignored: the answer is then the whole file.
    if (!asksForPart(request)) delete request.headers.range;
    serve(request, response, () => refuse(404, 'Not found'));
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
