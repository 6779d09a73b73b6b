/** What a page without a bundler needs of this package, for a folder served by a static host. */
import { readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file for a page: its path in the page's folder, and its content. */
export interface WebFile {
  path: string;
  bytes: Uint8Array;
}

/** How a built module refers to another: in an import, or as the URL of a worker. */
const REFERENCES = /(?:from|import|import\(|new URL\()\s*['"](\.[^'"]+\.js)['"]/g;

/**
 * The custom elements in the folder `gpn/`, whose script is `gpn/elements/index.js`, and ONNX
 * Runtime's files in the folder `ort/`, to be given as the elements' attribute `assets`.
 *
 * @param options with `webgpu` the build for WebGPU too, another 27 MB; without it unless given
 */
export async function webFiles({ webgpu = false } = {}): Promise<WebFile[]> {
  const own = dirname(dirname(fileURLToPath(import.meta.url)));
  const modules = new Map<string, WebFile>();
  const follow = async (name: string): Promise<void> => {
    if (modules.has(name)) return;
    const text = (await readFile(join(own, name), 'utf8')).replace(
      /\/\/# sourceMappingURL=.*\s*$/,
      '',
    );
    modules.set(name, { path: `gpn/${name}`, bytes: new TextEncoder().encode(text) });
    for (const [, next] of text.matchAll(REFERENCES)) {
      await follow(posix.join(posix.dirname(name), next as string));
    }
  };
  await follow('elements/index.js');
  const builds = dirname(fileURLToPath(import.meta.resolve('onnxruntime-web/wasm')));
  const names = ['ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm'];
  if (webgpu) names.push('ort.webgpu.bundle.min.mjs', 'ort-wasm-simd-threaded.asyncify.wasm');
  const runtime = names.map(async (name) => ({
    path: `ort/${name.replace(/\.mjs$/, '.js')}`, // which every host serves as a script
    bytes: await readFile(join(builds, name)),
  }));
  return [...modules.values(), ...(await Promise.all(runtime))];
}
