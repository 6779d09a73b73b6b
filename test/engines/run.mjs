/**
 * Measures in which engines the files run: makes a virtual environment for each, runs engine.py in it,
 * prints a Markdown table and writes the details as JSON.
 *
 *   npm run engines                         all of them: some gigabytes and twenty minutes
 *   npm run engines -- --only ci            those of CI
 *   npm run engines -- --only mnn,opencv-5  by name
 *   npm run engines -- --json out.json --folder /tmp/engines
 *
 * Exit code 3 if an engine is below its row's `least`. An engine that cannot be installed is named with
 * the reason and fails nothing: the package registries may be out of reach.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** `least`: how many of the 40 files have to be right, by the last measurement. */
const ENGINES = [
  { name: 'onnxruntime', run: 'onnxruntime', pip: ['onnxruntime==1.32.0', 'onnx'], ci: true },
  { name: 'onnxruntime-1.17', run: 'onnxruntime', pip: ['onnxruntime==1.17.3', 'numpy<2'] },
  {
    name: 'onnxruntime-1.16',
    run: 'onnxruntime',
    pip: ['onnxruntime==1.16.3', 'numpy<2'],
    ci: true,
  },
  { name: 'openvino', run: 'openvino', pip: ['openvino==2026.4.1', 'onnx'], ci: true },
  {
    name: 'opencv-4.14',
    run: 'opencv',
    pip: ['opencv-python-headless==4.14.0.94'],
    ci: true,
    least: 45,
  },
  {
    name: 'opencv-4.6',
    run: 'opencv',
    pip: ['opencv-python-headless==4.6.0.66', 'numpy<2'],
    least: 12,
  },
  { name: 'opencv-5', run: 'opencv', pip: ['opencv-python-headless==5.0.0.93'] },
  { name: 'onnx-checker', run: 'checker', pip: ['onnx==1.23.2'] },
  {
    name: 'onnx2torch',
    run: 'onnx2torch',
    pip: ['onnx2torch==1.5.15', 'torch', 'torchvision', 'numpy<2'],
  },
  { name: 'onnxsim', run: 'onnxsim', pip: ['onnxsim==0.8.1', 'onnxruntime==1.32.0'] },
  { name: 'onnxslim', run: 'onnxslim', pip: ['onnxslim==0.1.98', 'onnxruntime==1.32.0'] },
  { name: 'mnn', run: 'mnn', pip: ['MNN==3.6.1', 'numpy'] },
  { name: 'onnx2tf', run: 'onnx2tf', pip: ['onnx2tf==1.29.24'], least: 0 },
  { name: 'tract', run: 'tract', pip: ['numpy'], cargo: 'tract' },
];

const { values } = parseArgs({
  options: { only: { type: 'string' }, json: { type: 'string' }, folder: { type: 'string' } },
});
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'gpn-engines-'));
mkdirSync(folder, { recursive: true });
const files = join(folder, 'files');
const chosen = ENGINES.filter(
  ({ name, ci }) =>
    !values.only || (values.only === 'ci' ? ci : values.only.split(',').includes(name)),
);

function measured(engine) {
  try {
    const python = installed(engine);
    const extra = engine.cargo ? ['--tract', built(engine.cargo)] : [];
    const lines = must(python, [here('./engine.py'), engine.run, files, ...extra]).split('\n');
    const all = lines.filter((l) => l.startsWith('@')).map((l) => JSON.parse(l.slice(1)));
    const counted = all.filter(({ file }) => !file.startsWith('float16'));
    const right = counted.filter((f) => f.right);
    return {
      version: versionOf(python, engine),
      right: right.length,
      worst: Math.max(0, ...right.map((f) => f.difference)),
      float16: all.every((f) => f.right || !f.file.startsWith('float16')),
      ...(engine.ci &&
        ['onnxruntime', 'openvino'].includes(engine.name) &&
        verified(python, engine)),
      files: counted,
    };
  } catch (error) {
    return { reason: String(error.message).trim().split('\n').at(-1) };
  }
}

/** The Python of the engine's own environment. */
function installed({ name, pip }) {
  const venv = join(folder, name);
  const python = join(venv, 'bin', 'python');
  if (!existsSync(python)) must(process.env.PYTHON ?? 'python3', ['-m', 'venv', venv]);
  must(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...pip]);
  return python;
}

function built(crate) {
  const target = join(folder, 'cargo');
  const manifest = here(`./${crate}/Cargo.toml`);
  must('cargo', ['build', '--release', '--manifest-path', manifest, '--target-dir', target]);
  return join(target, 'release', 'engine-tract');
}

function versionOf(python, { pip, cargo }) {
  if (cargo) return 'crates.io 0.21';
  const [name] = pip[0].split(/[=<]/);
  const code = `import importlib.metadata as m; print(m.version('${name}'))`;
  return must(python, ['-c', code]).trim();
}

/** Every certificate, by the program for readers of the certificate's page. */
function verified(python, { run }) {
  const models = bundledIn(files);
  must(python, [here('../../docs/reference/verify.py'), '--engine', run, ...models]);
  return { certificates: models.length };
}

const bundledIn = (folder) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.onnx') && !/^(fresh|float16)/.test(file))
    .map((file) => join(folder, file));

function must(program, args) {
  const done = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1e8 });
  if (done.error) throw done.error;
  if (done.status !== 0) throw new Error(done.stderr || `${program} ended with ${done.status}`);
  return done.stdout;
}

function line({ name, version, right, files, worst, float16, certificates, reason }) {
  if (reason) return `| ${name} | | skipped: ${reason} | | |`;
  const checked = certificates ? `, ${certificates} certificates hold` : '';
  return `| ${name} | ${version} | ${right} of ${files.length}${checked} | ${worst.toExponential(1)} | ${float16 ? 'yes' : 'no'} |`;
}

must(process.execPath, [here('./files.mjs'), files]);
const rows = chosen.map((engine) => ({ ...engine, ...measured(engine) }));
for (const row of rows) console.log(line(row));
if (values.json) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 1)}\n`);
const failed = rows.filter(
  ({ right, files, least = files?.length }) => right !== undefined && right < least,
);
for (const { name, right, files, least = files.length } of failed) {
  console.error(`${name}: ${right} files are right, and ${least} were`);
  for (const file of files.filter((f) => !f.right)) console.error(`  ${JSON.stringify(file)}`);
}
if (failed.length > 0) process.exitCode = 3;
