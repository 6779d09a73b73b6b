/** A server of a folder of files, like any static host: no special headers. */
import { realpathSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, sep } from 'node:path';
import { UserError } from '@gpn/runtime';
import send from 'send';

export interface Site {
  url: string;
  close(): void;
}

/** What `send` says of a file that it does not send. */
interface HttpError extends Error {
  status: number;
  headers?: Record<string, string>;
}

/** Whether what is at a path of a URL lies in the folder `root`, links followed. */
function isInside(root: string, path: string): boolean {
  try {
    const real = realpathSync(join(root, decodeURIComponent(path)));
    return real === root || real.startsWith(root + sep);
  } catch {
    return false;
  }
}

/**
 * Serves a folder to this machine only, for GET and HEAD, with ETags and ranges of bytes.
 *
 * @param port 0 takes a free one
 * @throws UserError if the port is taken
 */
export async function serveFolder(folder: string, port = 0): Promise<Site> {
  const root = realpathSync(folder);
  const server = createServer((request, response) => {
    const refuse = (code: number, text: string, headers = {}): void => {
      response.writeHead(code, { 'content-type': 'text/plain', ...headers }).end(`${text}\n`);
    };
    const missing = () => refuse(404, 'Not found');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      refuse(405, 'Method not allowed', { allow: 'GET, HEAD' });
      return;
    }
    const { pathname } = new URL(request.url ?? '/', 'http://localhost'); // resolves `..`
    if (!isInside(root, pathname)) {
      missing();
      return;
    }
    send(request, pathname, { root, dotfiles: 'ignore' })
      .on('directory', missing)
      .on('error', ({ status, message, headers }: HttpError) => refuse(status, message, headers))
      .pipe(response);
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
