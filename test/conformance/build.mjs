import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));

/** The folder of an installed package. */
const folderOf = (name) => dirname(require.resolve(`${name}/package.json`));

const EXPORT = fileURLToPath(new URL('../../export/', import.meta.url));
const { imports } = JSON.parse(readFileSync(join(EXPORT, 'package.json'), 'utf8'));

/** The source under Node of what `@gpn/export` imports by a name of its own, such as `#gradients`. */
const sourceOf = (name) =>
  join(EXPORT, imports[name].node.replace('dist/', 'src/').replace(/\.js$/, '.ts'));

const CORE = folderOf('@tensorflow/tfjs-core');
export const CORE_VERSION = JSON.parse(readFileSync(join(CORE, 'package.json'), 'utf8')).version;

const mainModule = (backend) => `
  export * as tf from '@tensorflow/tfjs-core';
  import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
  import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
  export { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';
  export * from ${JSON.stringify(backend)};
`;

/** Two files of operations are marked for browsers alone, though they need none. */
const FOR_ALL = /^ops\/(depth_to_space|image\/rotate_with_offset)_test$/;

/** Every spec file first says which file it is, so that the runner can tell. */
function specSource(path) {
  const name = path.slice(join(CORE, 'dist/').length, -'.js'.length);
  const source = readFileSync(path, 'utf8').replace(/\n\/\/# sourceMappingURL=.*$/m, '');
  const open = FOR_ALL.test(name)
    ? source
        .replaceAll('BROWSER_ENVS', 'ALL_ENVS')
        .replace('import { ALL_ENVS, ALL_ENVS,', 'import { ALL_ENVS,')
    : source;
  return `globalThis.specFile = ${JSON.stringify(name)};\n${open}`;
}

/**
 * One copy of tfjs-core for specs and backend: the specs import its modules by relative path, so
 * `@tensorflow/tfjs-core` must mean those same modules.
 */
const plugin = (backend) => ({
  name: 'one-tfjs-core',
  setup(b) {
    b.onResolve({ filter: /^suite:/ }, ({ path }) => ({ path, namespace: 'suite' }));
    b.onLoad({ filter: /.*/, namespace: 'suite' }, ({ path }) => ({
      contents: path === 'suite:main' ? mainModule(backend) : specImports(),
      resolveDir: join(CORE, 'dist'),
    }));
    b.onResolve({ filter: /^@tensorflow\/tfjs-[a-z-]+/ }, ({ path }) => {
      const [name, file] = path.match(/^(@tensorflow\/[^/]+)(?:\/(.*))?$/).slice(1);
      const target = file === undefined ? 'dist/index.js' : file;
      return { path: join(folderOf(name), /\.m?js$/.test(target) ? target : `${target}.js`) };
    });
    b.onResolve({ filter: /^#/ }, ({ path }) => ({ path: sourceOf(path) }));
    b.onResolve({ filter: /^jasmine-core/ }, () => ({ path: 'jasmine', namespace: 'global' }));
    b.onLoad({ filter: /.*/, namespace: 'global' }, () => ({
      contents: 'module.exports = { core: () => globalThis.jasmine };',
    }));
    b.onLoad({ filter: /_test\.js$/ }, ({ path }) =>
      path.startsWith(CORE) ? { contents: specSource(path) } : undefined,
    );
  },
});

function specImports() {
  const list = readFileSync(join(CORE, 'dist/tests.js'), 'utf8');
  const files = [...list.matchAll(/^import '\.\/(.*)';/gm)].map(([, file]) => file);
  return files.map((file) => `import './${file}.js';`).join('\n');
}

/** Bundles a backend's module (main.mjs) and TF.js's specs (specs.mjs) into a folder. */
export async function bundle(outdir, backend) {
  await build({
    entryPoints: { main: 'suite:main', specs: 'suite:specs' },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outExtension: { '.js': '.mjs' },
    // The specs are imported for their effects, which the package does not declare.
    ignoreAnnotations: true,
    mainFields: ['module', 'main'],
    external: ['node-fetch', 'util', 'crypto'],
    logLevel: 'error',
    banner: {
      js: `import { createRequire as req } from 'node:module'; const require = req(${JSON.stringify(
        pathToFileURL(join(here, 'run.mjs')).href,
      )});`,
    },
    plugins: [plugin(backend)],
  });
}
