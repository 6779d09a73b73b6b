/** A site for scripts that measure in a browser: a folder, and ONNX Runtime's files. */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import send from 'send';

const root = fileURLToPath(new URL('../../', import.meta.url));
const require = createRequire(join(root, 'cli/package.json'));
const ort = dirname(require.resolve('onnxruntime-web'));

/** The headers by which a page is cross-origin isolated, and may start threads. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Serves a folder, and ONNX Runtime's files below `/ort/`.
 * @param isolated whether with the headers that allow threads
 */
export async function serve(folder, { isolated = false } = {}) {
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(isolated ? ISOLATED : {})) {
      response.setHeader(name, value);
    }
    const { pathname } = new URL(request.url, 'http://localhost');
    const [from, path] = pathname.startsWith('/ort/')
      ? [ort, pathname.slice('/ort'.length)]
      : [folder, pathname];
    send(request, path, { root: from }).pipe(response);
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
