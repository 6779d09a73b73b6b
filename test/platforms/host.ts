/** A static host of a site, for tests of pages. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import send from 'send';

/** The strictest policy under which WebAssembly runs. */
export const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'";

export interface Host {
  port: number;
  /** What browsers reported as breaches of the policy. */
  reports: string[];
  close(): void;
}

/** Serves a folder; a policy is sent with each file. */
export async function serve(files: string, { policy = '', port = 0 } = {}): Promise<Host> {
  const reports: string[] = [];
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      reports.push(await text(request));
      response.end();
      return;
    }
    if (policy !== '') {
      response.setHeader('content-security-policy', `${policy}; report-uri /reports`);
    }
    send(request, new URL(request.url as string, 'http://x').pathname, { root: files }).pipe(
      response,
    );
  }).listen(port);
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, reports, close };
}
