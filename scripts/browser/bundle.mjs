/** Scripts for pages, bundled; pages have ONNX Runtime's files beside them. */
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Bundles scripts into a folder.
 * @param entryPoints sources, or sources by the names of their bundles
 */
export const bundle = (outdir, entryPoints, options = {}) =>
  build({
    entryPoints,
    absWorkingDir: root,
    outdir,
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
    external: ['onnxruntime-web/*'],
    ...options,
  });

/** The same as files of a site, whose folder is called as the one that stands for it. */
export async function bundledFiles(outdir, entryPoints, options) {
  const { outputFiles } = await bundle(outdir, entryPoints, { write: false, ...options });
  return outputFiles.map(({ path, contents }) => ({
    path: relative(dirname(outdir), path).replaceAll('\\', '/'),
    bytes: contents,
  }));
}
