/**
 * Fragments are scored by two workers of a queue while a worker, the producer or the Redis server is killed
 * every few seconds; the joined file must have the bytes of a run in one process that nothing disturbs. The
 * packages must be built, and `redis-server` be on the PATH.
 *
 *   node test/kills/bulk.mjs [--fragments 200000] [--every 20] [--kills 1000] [--shard-size 16] [--seed 1]
 *
 * What is killed next is drawn, and started again at once; the server keeps nothing. Ends with 1 if anything
 * differs or nothing was killed, and names the folder in which everything is kept.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Discriminator, Generator, stream } from '@gpn/runtime';

const GPN = fileURLToPath(new URL('../../cli/bin/gpn-cli.js', import.meta.url));
const MODEL = 'gpn-mnist-large-discriminator';

const { values } = parseArgs({
  options: {
    fragments: { type: 'string', default: '200000' },
    every: { type: 'string', default: '20' },
    kills: { type: 'string', default: '1000' },
    'shard-size': { type: 'string', default: '16' },
    seed: { type: 'string', default: '1' },
  },
});
const [fragments, every, kills] = [values.fragments, values.every, values.kills].map(Number);
const random = stream(Number(values.seed), 'killed bulk work');
const folder = mkdtempSync(join(tmpdir(), 'gpn-killed-bulk-'));

/** Draws as many pictures as have these fragments. @returns how many */
async function draw() {
  const generator = await Generator.load('gpn-mnist-large');
  const discriminator = await Discriminator.load(MODEL);
  const size = { width: 28, height: 28 };
  const picture = { ...size, data: new Uint8Array(28 * 28) };
  const { rows, columns } = await discriminator.scoreMap(picture, { stride: 1 });
  await discriminator.dispose();
  const count = Math.ceil(fragments / (rows * columns));
  mkdirSync(join(folder, 'pictures'));
  const images = await generator.sample({ count, seed: 1 });
  await generator.dispose();
  for (const [k, png] of (await images.toPNGs()).entries()) {
    writeFileSync(join(folder, 'pictures', `${String(k).padStart(6, '0')}.png`), png);
  }
  writeFileSync(join(folder, 'pictures', 'broken.png'), 'no picture'); // a row, not an end
  return count;
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const gpn = (...args) => [process.execPath, GPN, ...args];
const score = (out, ...more) =>
  gpn(
    ...['score', '--model', MODEL, '--manifest', 'pictures', '--fragments', '--stride', '1'],
    ...['--shard-size', values['shard-size'], '--out', out, ...more],
  );

/** Starts a command in the folder; what it prints goes to a log of its own name. */
const start = ([command, ...args]) =>
  spawn(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });

/** A process that is started again whenever it ends, until it is to stop. */
function keep(name, words) {
  let child;
  let kept = true;
  let ended;
  let said = '';
  const begin = () => {
    child = start(words);
    child.stderr.on('data', (text) => {
      said = (said + text).slice(-2000);
    });
    ended = once(child, 'exit').then(([code]) => {
      if (kept && code !== 0) begin();
      return code;
    });
  };
  begin();
  return {
    name,
    said: () => said,
    kill: () => child.kill('SIGKILL'),
    stop: async () => {
      kept = false;
      child.kill('SIGKILL');
      await ended;
    },
    /** Waits until the command ends by itself and well. */
    whole: async () => {
      while ((await ended) !== 0) await sleep(10);
    },
  };
}

const pictures = await draw();
const begun = performance.now();
const [code] = await once(start(score('whole', '--jobs', '1')), 'exit');
if (code !== 0) throw new Error(`the run in one process ended with ${code}, see ${folder}`);
const undisturbed = (performance.now() - begun) / 1000;

const port = await freePort();
const url = `redis://127.0.0.1:${port}`;
const redis = ['redis-server', '--port', `${port}`, '--bind', '127.0.0.1', '--save', ''];
const kept = [
  keep('Redis', [...redis, '--appendonly', 'no', '--dir', folder]),
  keep('a worker', gpn('work', '--queue', url, '--jobs', '1')),
  keep('a worker', gpn('work', '--queue', url, '--jobs', '1')),
];
await sleep(500);
const producer = keep('the producer', score('broken', '--queue', url));
const all = [...kept, producer];
const counts = new Map(all.map(({ name }) => [name, 0]));
let killed = 0;
let isDone = false;
const done = producer.whole().then(() => {
  isDone = true;
});
const started = performance.now();
while (!isDone && killed < kills) {
  await Promise.race([done, sleep(1000 * every)]);
  if (isDone) break;
  // The first ones in turn, so that each is killed even in a short run.
  const next = all[killed < all.length ? killed : random.below(1, all.length)[0]];
  next.kill();
  counts.set(next.name, counts.get(next.name) + 1);
  killed += 1;
}
await done;
const disturbed = (performance.now() - started) / 1000;
await Promise.all(all.map(({ stop }) => stop()));

const bytes = (out) => readFileSync(join(folder, out, 'results.ndjson'));
const isSame = bytes('whole').equals(bytes('broken'));
const rows = bytes('whole').toString().trimEnd().split('\n').length;
console.log(
  `${rows} rows of ${pictures + 1} pictures; killed ${killed} times (` +
    [...counts].map(([name, count]) => `${name} ${count}`).join(', ') +
    `); ${undisturbed.toFixed(0)} s in one process, ${disturbed.toFixed(0)} s with kills: ` +
    (isSame
      ? 'the merged file has the bytes of an undisturbed run’s'
      : `the merged files differ, see ${folder}`),
);
if (isSame && killed > 0) rmSync(folder, { recursive: true });
else process.exitCode = 1;
