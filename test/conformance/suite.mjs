import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle } from './build.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/**
 * Loads TF.js's specs, and a backend to run them on.
 * @param backend the module of the backend: exports `register(name)`
 * @returns the jasmine environment, what the bundle exports, and the specs in order, each with its
 *   id, file, key (`file > name`) and whether it is switched off
 */
export async function loadSuite(backend, name) {
  const jasmineCore = createRequire(import.meta.url)('jasmine-core');
  const env = jasmineCore.boot(jasmineCore).getEnv();
  // Each spec is declared while its file is loaded, which says its name in globalThis.specFile.
  const files = new Map();
  for (const declarer of ['it', 'fit', 'xit']) {
    const declare = globalThis[declarer];
    globalThis[declarer] = (...args) => {
      const spec = declare(...args);
      files.set(spec.id, { file: globalThis.specFile, off: declarer === 'xit' });
      return spec;
    };
  }
  // Inside of the repository, so that the bundle finds the packages it leaves outside.
  const folder = mkdtempSync(join(here, '../../node_modules/.conformance-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  await bundle(folder, join(here, backend));
  const load = (file) => import(pathToFileURL(join(folder, file)).href);
  const main = await load('main.mjs');
  main.register(name);
  await main.tf.setBackend(name);
  main.setTestEnvs([{ name: 'env', backendName: name, isDataSync: true }]);
  await load('specs.mjs');
  const seen = new Map();
  const specs = specsOf(env.topSuite()).map((spec) => {
    const { file, off } = files.get(spec.id);
    const title = spec.getFullName().replaceAll(' env {}', '').replaceAll('\t', ' ').trim();
    const key = `${file} > ${title}`;
    // Names that occur twice are numbered in the order of declaration.
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    return { id: spec.id, file, off, key: times > 1 ? `${key} #${times}` : key };
  });
  return { env, main, specs };
}

/** Runs the specs of these ids without what they print, since they warn about what they provoke. */
export async function runSpecs(env, ids, reporter) {
  env.configure({ random: false, specFilter: ({ id }) => ids.has(id) });
  env.addReporter({
    specStarted: ({ id }) => ids.has(id) && reporter.specStarted(id),
    specDone: ({ id, status, failedExpectations: [failed] }) =>
      ids.has(id) && reporter.specDone(id, status === 'passed', failed?.message ?? status),
  });
  const levels = ['log', 'warn', 'error', 'info'];
  const loud = levels.map((level) => console[level]);
  for (const level of levels) console[level] = () => {};
  process.on('unhandledRejection', () => {});
  await env.execute();
  levels.forEach((level, i) => {
    console[level] = loud[i];
  });
}

/** All specs below a suite. */
function specsOf(suite) {
  return suite.children.flatMap((child) => (child.children ? specsOf(child) : [child]));
}
