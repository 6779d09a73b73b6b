/**
 * node test/conformance/record.mjs: writes manifest.tsv anew, after an update of TF.js. Each spec is
 * run on TF.js's cpu backend, to see what it does, and on a backend without kernels, to see whether
 * it says anything.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CORE_VERSION } from './build.mjs';
import { inScope } from './filter.mjs';
import { loadSuite, runSpecs } from './suite.mjs';

if (process.argv[2]) {
  process.stdout.write(JSON.stringify(await record(process.argv[2])), () => process.exit(0));
} else {
  const [cpu, none] = ['cpu', 'none'].map((backend) => {
    const args = [fileURLToPath(import.meta.url), backend];
    return JSON.parse(execFileSync(process.execPath, args, { maxBuffer: 2 ** 28 }));
  });
  writeFileSync(new URL('manifest.tsv', import.meta.url), manifestOf(cpu, none));
}

/** What each spec does on a backend: one process each, since jasmine runs once. */
async function record(backend) {
  const { env, main, specs } = await loadSuite('stock-backend.ts', backend);
  const on = specs.filter(({ file, off }) => !off && inScope(file));
  const byId = new Map(on.map(({ id, key }) => [id, key]));
  const behaviour = {};
  let current;
  watch(main.tf.engine(), backend, () => current);
  await runSpecs(env, byId, {
    specStarted: () => {
      current = { kernels: new Set(), dtypes: new Set(), books: false, other: false };
    },
    specDone: (id, ok) => {
      const { kernels, dtypes, books, other } = current;
      behaviour[byId.get(id)] = { ok, kernels: [...kernels], dtypes: [...dtypes], books, other };
      current = undefined;
    },
  });
  return behaviour;
}

/** Notes, of the spec that is running, kernels, types, other backends and looks at bookkeeping. */
function watch(engine, backend, spec) {
  const before = (object, method, note) => {
    const original = object[method];
    object[method] = function (...args) {
      const running = spec();
      if (running) note(running, ...args);
      return original.apply(this, args);
    };
  };
  const types = (running, tensors) => {
    for (const t of [tensors].flat()) if (t?.dtype) running.dtypes.add(t.dtype);
  };
  before(engine, 'makeTensor', ({ dtypes }, _values, _shape, dtype) => {
    dtypes.add(dtype ?? 'float32');
  });
  before(engine, 'runKernelFunc', (running, { kernelName, inputs }) => {
    if (kernelName) running.kernels.add(kernelName);
    for (const t of Object.values(inputs ?? {})) types(running, t);
  });
  const run = engine.runKernelFunc;
  engine.runKernelFunc = function (params) {
    const result = run.call(this, params);
    if (spec()) types(spec(), result);
    return result;
  };
  const set = engine.setBackend;
  engine.setBackend = async function (name) {
    const running = spec();
    if (running && name !== backend) running.other = true;
    const ok = await set.call(this, name);
    const instance = this.backendInstance;
    if (instance && !Object.hasOwn(instance, 'numDataIds')) {
      for (const method of ['numDataIds', 'refCount']) {
        before(instance, method, (s) => {
          if (engine.state.kernelDepth === 0) s.books = true;
        });
      }
    }
    return ok;
  };
}

function manifestOf(cpu, none) {
  const lines = [CORE_VERSION];
  let file;
  for (const [key, { ok, kernels, dtypes, books, other }] of Object.entries(cpu)) {
    const [where, name] = [key.slice(0, key.indexOf(' > ')), key.slice(key.indexOf(' > ') + 3)];
    if (where !== file) lines.push(`@${where}`);
    file = where;
    const flags = {
      f: !ok,
      v: none[key]?.ok,
      c: dtypes.includes('complex64'),
      s: dtypes.includes('string'),
      b: books,
      o: other,
    };
    const set = Object.keys(flags).filter((flag) => flags[flag]);
    lines.push([set.join(''), kernels.join(','), name].join('\t'));
  }
  return `${lines.join('\n')}\n`;
}
