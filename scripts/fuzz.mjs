/**
 * Gives changed inputs to every reader of files. Each must end in a result or in a sentence for the
 * user, within 20 s and 2 GiB: `npm run fuzz -- [--minutes N | --inputs N] [--seed N]`.
 * A failure prints its reader and its number; `--write` keeps its bytes in scripts/fuzz/corpus, which
 * every run tries first.
 */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    inputs: { type: 'string' },
    seed: { type: 'string' },
    processes: { type: 'string', default: '2' },
    write: { type: 'boolean', default: false },
    commit: { type: 'string' },
  },
});

const SECONDS = 20;
const BYTES = 2 ** 31;
const CHILD = fileURLToPath(new URL('./fuzz/child.mjs', import.meta.url));
const CORPUS = fileURLToPath(new URL('./fuzz/corpus', import.meta.url));
/** A commit's hash is its seed, so that each commit tries other inputs and can be tried again. */
const seed = values.commit
  ? Number.parseInt(createHash('sha256').update(values.commit).digest('hex').slice(0, 7), 16)
  : Number(values.seed ?? 1);
const processes = Number(values.processes);
const until = values.inputs === undefined ? Number.MAX_SAFE_INTEGER : Number(values.inputs);
const deadline =
  values.inputs === undefined ? Date.now() + 60_000 * Number(values.minutes) : Infinity;

const counts = {};
const failures = [];
let peak = 0;
let slowest = 0;

/** The resident memory of a process in bytes; 0 where the system does not tell. */
function memoryOf(pid) {
  try {
    return 4096 * Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  } catch {
    return 0;
  }
}

function note(reader, ended, where, error) {
  counts[ended] = (counts[ended] ?? 0) + 1;
  if (ended === 'result' || ended === 'sentence') return;
  failures.push({ reader, ended, where });
  console.log(`${reader}, ${where}: ${ended}${error ? `: ${error.slice(0, 600)}` : ''}`);
}

/** Runs one process until it is done or ends; gives the number from which to go on. */
function runChild(request) {
  return new Promise((resolve) => {
    const child = fork(CHILD, { execArgv: [], serialization: 'advanced' });
    let current = {
      index: request.from ?? 0,
      name: request.file?.reader,
      since: Date.now(),
      begun: false,
    };
    let reason;
    let done = false;
    let started = false;
    const stop = (why) => {
      reason = why;
      child.kill('SIGKILL');
    };
    const watch = setInterval(() => {
      const memory = memoryOf(child.pid);
      peak = Math.max(peak, memory);
      if (memory > BYTES) stop('memory');
      else if (current.begun && Date.now() - current.since > 1000 * SECONDS) stop('hang');
      else if (Date.now() > deadline) {
        done = true;
        child.kill('SIGKILL');
      }
    }, 100);
    child.on('message', (message) => {
      if (message.begins !== undefined) {
        started = true;
        current = { index: message.begins, name: message.name, since: Date.now(), begun: true };
      } else if (message.done) done = true;
      else {
        slowest = Math.max(slowest, Date.now() - current.since);
        current.begun = false;
        const where = request.file ? request.file.path : `input ${message.index}`;
        note(message.name ?? request.file.reader, message.ended, where, message.error);
        current.index = message.index + (request.step ?? 1);
      }
    });
    child.on('exit', (code, signal) => {
      clearInterval(watch);
      if (done) return resolve(undefined);
      const where = request.file ? request.file.path : `input ${current.index}`;
      note(current.name ?? '?', reason ?? 'crash', where, `${signal ?? code}`);
      // One that did not get to its first input would not do so the next time either.
      resolve(started ? current.index + (current.begun ? (request.step ?? 1) : 0) : undefined);
    });
    child.send({ seed, until, ...request });
  });
}

async function lane(k) {
  for (let from = k; from !== undefined && from < until; ) {
    from = await runChild({ from, step: processes });
  }
}

const began = Date.now();
mkdirSync(CORPUS, { recursive: true });
for (const name of readdirSync(CORPUS)) {
  // A file's name begins with its reader.
  const file = { reader: name.split('--')[0].replaceAll('_', ' '), path: join(CORPUS, name) };
  await runChild({ file });
}
await Promise.all(Array.from({ length: processes }, (_, k) => lane(k)));
const minutes = (Date.now() - began) / 60_000;
const total = Object.values(counts).reduce((a, b) => a + b, 0);

if (values.write && failures.length > 0) {
  const { keep, scratch } = await import('./fuzz/inputs.mjs');
  const inputs = failures.filter(({ where }) => where.startsWith('input '));
  keep(
    CORPUS,
    seed,
    inputs.map(({ where }) => Number(where.slice(6))),
  );
  rmSync(scratch, { recursive: true, force: true });
}
console.log(
  `seed ${seed}: ${total} inputs in ${minutes.toFixed(1)} min (${Math.round(total / minutes)} a minute), ` +
    `${Object.entries(counts)
      .map(([what, n]) => `${n} × ${what}`)
      .join(', ')}; ` +
    `slowest ${(slowest / 1000).toFixed(1)} s, largest process ${Math.round(peak / 2 ** 20)} MiB; ${failures.length} failures`,
);
process.exitCode = failures.length > 0 ? 1 : 0;
