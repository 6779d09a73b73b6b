/**
 * What a second process adds in bulk: `score --manifest` with one process and with two, one thread each, in
 * turns with two commands of one process at once, which share no work: what the machine itself has to give.
 * The packages must be built.
 *
 *   node scripts/bench-bulk.mjs [--pictures 2000] [--rounds 3]
 *
 * The seconds that a command takes to start and to join are those of the same command once all shards are
 * done. They do not depend on the processes, so few pictures show them; the workers alone are what is left.
 * Two processes on two idle processors should do 90 % of twice what one does; other work on them shows.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Generator } from '@gpn/runtime';

const GPN = fileURLToPath(new URL('../cli/bin/gpn-cli.js', import.meta.url));
const { values } = parseArgs({
  options: {
    pictures: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '3' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'gpn-bench-bulk-'));
const generator = await Generator.load('gpn-mnist');
const images = await generator.sample({ count: Number(values.pictures) });
await generator.dispose();
mkdirSync(join(folder, 'pictures'));
for (const [k, png] of (await images.toPNGs()).entries()) {
  writeFileSync(join(folder, 'pictures', `${k}.png`), png);
}

/** Scores all pictures into a folder by a command with so many processes. */
async function score(jobs, out) {
  const args = [
    ...['--model', 'gpn-mnist-large-discriminator', '--manifest', 'pictures', '--fragments'],
    ...['--stride', '1', '--shard-size', '10', '--jobs', `${jobs}`, '--out', out],
  ];
  const child = spawn(process.execPath, [GPN, 'score', ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(said);
}

const secondsOf = async (work) => {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
};

const cleared = (...names) => {
  for (const name of names) rmSync(join(folder, name), { recursive: true, force: true });
};

/** Seconds of a command with so many processes; and of the same again, which has nothing but to start and to join. */
async function times(jobs) {
  cleared('out');
  const seconds = () => secondsOf(() => score(jobs, 'out'));
  return { whole: await seconds(), rest: await seconds() };
}

/** Seconds of two commands at once, each with one process and all of the pictures. */
async function apart() {
  cleared('one', 'other');
  return secondsOf(() => Promise.all([score(1, 'one'), score(1, 'other')]));
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const load = () => loadavg()[0].toFixed(1);
console.log(`${availableParallelism()} processors, load ${load()}`);
const ratios = { whole: [], workers: [], apart: [] };
const percent = (ratio) => `${(100 * ratio).toFixed(0)} %`;
for (let round = 0; round < Number(values.rounds); round++) {
  const [one, two, each] = [await times(1), await times(2), await apart()];
  const rate = ({ whole }) => (Number(values.pictures) / whole).toFixed(1);
  ratios.whole.push(one.whole / (2 * two.whole));
  ratios.workers.push((one.whole - one.rest) / (2 * (two.whole - two.rest)));
  ratios.apart.push(one.whole / each);
  console.log(
    `one process ${rate(one)} pictures/s, two ${rate(two)}: ${percent(ratios.whole.at(-1))} of twice one; ` +
      `start and join ${one.rest.toFixed(1)} s, without them ${percent(ratios.workers.at(-1))}; ` +
      `two commands apart ${percent(ratios.apart.at(-1))} (load ${load()})`,
  );
}
rmSync(folder, { recursive: true });
const [whole, workers, limit] = [ratios.whole, ratios.workers, ratios.apart].map(median);
console.log(
  `median: ${percent(whole)} of twice one process with one thread; the workers alone ${percent(workers)}; ` +
    `two commands apart ${percent(limit)}, of which two processes reach ${percent(whole / limit)}`,
);
