/**
 * npm run conformance [-- PATTERN]: runs the specs that TF.js ships for its operations against the
 * tracer and prints how many of the applicable ones pass. It fails below the recorded figures.
 * PATTERN, a regular expression, picks specs by `file > name` and prints why each one fails.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle, CORE_VERSION } from './build.mjs';
import { leftOut, readManifest } from './filter.mjs';

/**
 * Figures that must not fall: specs that pass, and those of them for which onnxruntime ran. The four
 * of the 2,438 that fail: `exp` and `tan` of one value each, by one unit in the last place of float32;
 * `gather` must throw for an index out of range, which is known only when the graph runs; and
 * NonMaxSuppressionV4 without padding, whose result has a size that depends on values.
 */
const RECORDED = { passed: 2434, executed: 2206 };
/** The version of tfjs-core whose specs the manifest describes. */
const MANIFEST_VERSION = '4.22.0';

const here = dirname(fileURLToPath(import.meta.url));
const pattern = process.argv[2] ? new RegExp(process.argv[2]) : undefined;
if (CORE_VERSION !== MANIFEST_VERSION) {
  console.error(`The manifest describes tfjs-core ${MANIFEST_VERSION}, not ${CORE_VERSION}.`);
  process.exit(2);
}
const start = Date.now();

const jasmineCore = createRequire(import.meta.url)('jasmine-core');
const env = jasmineCore.boot(jasmineCore).getEnv();
// Each spec is declared while its file is loaded, which says its name in globalThis.specFile.
const files = new Map();
for (const name of ['it', 'fit', 'xit']) {
  const declare = globalThis[name];
  globalThis[name] = (...args) => {
    const spec = declare(...args);
    files.set(spec.id, { file: globalThis.specFile, off: name === 'xit' });
    return spec;
  };
}

// Inside of the repository, so that the bundle finds the packages it leaves outside.
const folder = mkdtempSync(join(here, '../../node_modules/.conformance-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
await bundle(folder);
const load = (name) => import(pathToFileURL(join(folder, name)).href);
const { tf, setTestEnvs, register, stats } = await load('main.mjs');
register('onnx');
await tf.setBackend('onnx');
setTestEnvs([{ name: 'onnx', backendName: 'onnx', isDataSync: true }]);
await load('specs.mjs');

const manifest = readManifest(readFileSync(join(here, 'manifest.tsv'), 'utf8'));
const applicable = new Map();
const seen = new Map();
for (const spec of specsOf(env.topSuite())) {
  const { file, off } = files.get(spec.id);
  const name = spec.getFullName().replaceAll(' onnx {}', '').replaceAll('\t', ' ').trim();
  const times = (seen.get(`${file} > ${name}`) ?? 0) + 1;
  seen.set(`${file} > ${name}`, times);
  // Names that occur twice are numbered in the order of declaration.
  const key = `${file} > ${name}${times > 1 ? ` #${times}` : ''}`;
  if (off || leftOut(file, manifest.get(key)) || (pattern && !pattern.test(key))) continue;
  applicable.set(spec.id, key);
}
env.configure({ random: false, specFilter: (spec) => applicable.has(spec.id) });

let [passed, executed, runs] = [0, 0, 0];
const failures = [];
env.addReporter({
  specStarted: () => {
    runs = stats.runs;
  },
  specDone: ({ id, status, failedExpectations: [failed] }) => {
    if (!applicable.has(id)) return;
    if (status === 'passed') {
      passed++;
      if (stats.runs > runs) executed++;
    } else failures.push(`${applicable.get(id)}: ${failed?.message.slice(0, 300) ?? status}`);
  },
});

// The specs warn about what they provoke.
const { log } = console;
for (const level of ['log', 'warn', 'error', 'info']) console[level] = () => {};
process.on('unhandledRejection', () => {});
await env.execute();
console.log = log;

for (const failure of failures) log(`FAILED ${failure}`);
const seconds = ((Date.now() - start) / 1000).toFixed(0);
log(`conformance: ${passed}/${applicable.size} applicable specs of tfjs-core ${CORE_VERSION} pass`);
log(`onnxruntime was executed in ${executed} of them (${stats.runs} runs, ${seconds} s)`);
const fell = !pattern && (passed < RECORDED.passed || executed < RECORDED.executed);
if (fell) log(`That is below the recorded ${RECORDED.passed} and ${RECORDED.executed}.`);
process.exit(fell ? 1 : 0);

/** All specs below a suite. */
function specsOf(suite) {
  return suite.children.flatMap((child) => (child.children ? specsOf(child) : [child]));
}
