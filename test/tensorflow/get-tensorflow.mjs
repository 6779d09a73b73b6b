/**
 * `npm run tensorflow`: gets @tensorflow/tfjs-node for this checkout, from npm and PyPI alone (the
 * package's own install script needs a third server). It is kept in the user's cache, because
 * `npm ci` empties node_modules, and node_modules gets a link to it. For Linux on x64.
 *
 * The package's native part is compiled here against the library of PyPI's tensorflow-cpu, with g++
 * and pip. If they are missing, root on Debian gets them from Debian.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installed, succeeds } from '../debian.mjs';

const NAME = '@tensorflow/tfjs-node';
const VERSIONS = { tfjs: '4.22.0', headers: '1.9.0', tensorflow: '2.15.1' };
/** The wheel for one version of Python; the library in it is the same for all. */
const WHEEL = ['--python-version', '3.11', '--platform', 'manylinux_2_17_x86_64'];
/** The parts of the wheel that are needed, a fifth of its files. */
const UNPACK = `
import glob, sys, zipfile
[wheel] = glob.glob(sys.argv[1] + '/*.whl')
parts = tuple('tensorflow/' + p for p in ('libtensorflow_', 'include/tensorflow/', 'include/tsl/', 'include/xla/c/'))
with zipfile.ZipFile(wheel) as z:
    z.extractall(sys.argv[1], [n for n in z.namelist() if n.startswith(parts)])
`;

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gpn');
const kept = join(cache, `tfjs-node-${Object.values(VERSIONS).join('-')}`);

const root = fileURLToPath(new URL('../..', import.meta.url));
const place = (folder) => join(folder, 'node_modules', NAME);

try {
  if (!loads(root)) {
    if (!loads(kept)) get();
    rmSync(place(root), { recursive: true, force: true });
    symlinkSync(place(kept), place(root));
  }
  console.log(`There is a ${NAME} now.`);
} catch (error) {
  console.log(`No ${NAME} could be had: ${error.message}.`);
  process.exitCode = 1;
}

/** Builds the package beside its place, so that what is kept is whole and works. */
function get() {
  if (`${process.platform} ${process.arch}` !== 'linux x64') {
    throw new Error('it is built on Linux on x64 only');
  }
  console.log(`Getting ${NAME}, which takes some minutes and 1 GB in ${cache} …`);
  const has = () =>
    succeeds('g++', ['--version'], 'ignore') &&
    succeeds('python3', ['-m', 'pip', '--version'], 'ignore');
  if (!has() && !(installed('g++', 'python3-pip') && has())) {
    throw new Error('g++ and Python with pip are needed');
  }
  mkdirSync(cache, { recursive: true });
  const made = mkdtempSync(join(cache, 'tfjs-node-'));
  try {
    build(made);
    if (!loads(made)) throw new Error('it does not load');
    rmSync(kept, { recursive: true, force: true });
    renameSync(made, kept);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function build(folder) {
  const headers = 'node-api-headers';
  run('npm', [
    ...['install', '--prefix', folder, '--ignore-scripts'],
    ...[`${NAME}@${VERSIONS.tfjs}`, `${headers}@${VERSIONS.headers}`],
  ]);
  const wheel = join(folder, 'wheel');
  run('python3', [
    ...['-m', 'pip', 'download', '-q', '--no-deps', '--only-binary=:all:', ...WHEEL],
    ...['-d', wheel, `tensorflow-cpu==${VERSIONS.tensorflow}`],
  ]);
  run('python3', ['-c', UNPACK, wheel]);

  const at = place(folder);
  const [libraries, native] = ['deps/lib', 'lib/napi-v8'].map((path) => join(at, path));
  for (const path of [libraries, native]) mkdirSync(path, { recursive: true });
  const files = ['cc', 'framework'].map((part) => `libtensorflow_${part}.so.2`);
  for (const file of files) renameSync(join(wheel, 'tensorflow', file), join(libraries, file));
  run('g++', [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'],
    ...[`-I${folder}/node_modules/${headers}/include`, `-I${wheel}/tensorflow/include`],
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(at, 'binding', file)),
    ...[...files.map((file) => join(libraries, file)), '-Wl,-rpath,$ORIGIN/../../deps/lib'],
    ...['-o', join(native, 'tfjs_binding.node')],
  ]);
  rmSync(wheel, { recursive: true });
}

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args[0]} failed`);
}

/** Whether the package in a folder computes. Asked in a process of its own, which a library may end. */
function loads(folder) {
  const path = place(folder);
  const sum = `const tf = require(${JSON.stringify(path)}); process.exit(tf.add(1, 2).dataSync()[0] === 3 ? 0 : 1)`;
  return existsSync(path) && succeeds(process.execPath, ['-e', sum], 'ignore');
}
