/**
 * npm run conformance [-- PATTERN]: runs the specs that TF.js ships for its operations against the
 * tracer and prints how many of the applicable ones pass. It fails below the recorded figures.
 * PATTERN, a regular expression, picks specs by `file > name`.
 */
import { readFileSync } from 'node:fs';
import { CORE_VERSION } from './build.mjs';
import { leftOut, readManifest } from './filter.mjs';
import { loadSuite, runSpecs } from './suite.mjs';

/**
 * Figures that must not fall: specs that pass, and those of them for which onnxruntime ran. The four
 * of the 2,438 that fail: `exp` and `tan` of one value each, by one unit in the last place of float32;
 * `gather` must throw for an index out of range, which is known only when the graph runs; and
 * NonMaxSuppressionV4 without padding, whose result has a size that depends on values.
 */
const RECORDED = { passed: 2434, executed: 2206 };

const pattern = process.argv[2] ? new RegExp(process.argv[2]) : undefined;
const start = Date.now();
const manifest = readManifest(readFileSync(new URL('manifest.tsv', import.meta.url), 'utf8'));
if (manifest.version !== CORE_VERSION) {
  console.error(
    `The manifest describes the specs of tfjs-core ${manifest.version}, and ${CORE_VERSION} is ` +
      'installed: record it anew with node test/conformance/record.mjs.',
  );
  process.exit(2);
}
const { env, main, specs } = await loadSuite('lazy-backend.ts', 'onnx');
const applicable = new Map(
  specs
    .filter(({ file, key, off }) => !off && !leftOut(file, manifest.specs.get(key)))
    .filter(({ key }) => !pattern || pattern.test(key))
    .map(({ id, key }) => [id, key]),
);

let [passed, executed, runs] = [0, 0, 0];
const failures = [];
await runSpecs(env, applicable, {
  specStarted: () => {
    runs = main.stats.runs;
  },
  specDone: (id, ok, message) => {
    if (!ok) failures.push(`FAILED ${applicable.get(id)}: ${message.slice(0, 300)}`);
    else {
      passed++;
      if (main.stats.runs > runs) executed++;
    }
  },
});

for (const failure of failures) console.log(failure);
const seconds = ((Date.now() - start) / 1000).toFixed(0);
console.log(
  `conformance: ${passed}/${applicable.size} applicable specs of tfjs-core ${CORE_VERSION} pass`,
);
console.log(
  `onnxruntime was executed in ${executed} of them (${main.stats.runs} runs, ${seconds} s)`,
);
const fell = !pattern && (passed < RECORDED.passed || executed < RECORDED.executed);
if (fell) console.log(`That is below the recorded ${RECORDED.passed} and ${RECORDED.executed}.`);
process.exit(fell ? 1 : 0);
