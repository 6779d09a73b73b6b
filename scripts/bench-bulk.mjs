/**
 * What a second process adds in bulk: `score --manifest` with one process and with two, one thread each, in
 * turns with two commands of one process at once, which share no work: what the machine itself has to give.
 * All times are of whole commands, from their start to the joined file. The packages must be built.
 *
 *   node scripts/bench-bulk.mjs [--pictures 5000] [--rounds 3]
 *
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
    pictures: { type: 'string', default: '5000' },
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

/** Seconds of a command with so many processes. */
async function together(jobs) {
  cleared('out');
  return secondsOf(() => score(jobs, 'out'));
}

/** Seconds of two commands at once, each with one process and all of the pictures. */
async function apart() {
  cleared('one', 'other');
  return secondsOf(() => Promise.all([score(1, 'one'), score(1, 'other')]));
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const load = () => loadavg()[0].toFixed(1);
console.log(`${availableParallelism()} processors, load ${load()}`);
const ratios = { whole: [], apart: [] };
const percent = (ratio) => `${(100 * ratio).toFixed(0)} %`;
for (let round = 0; round < Number(values.rounds); round++) {
  const [one, two, each] = [await together(1), await together(2), await apart()];
  const rate = (seconds) => (Number(values.pictures) / seconds).toFixed(1);
  ratios.whole.push(one / (2 * two));
  ratios.apart.push(one / each);
  console.log(
    `one process ${rate(one)} pictures/s, two ${rate(two)}: ${percent(ratios.whole.at(-1))} of twice one; ` +
      `two commands apart ${percent(ratios.apart.at(-1))} (load ${load()})`,
  );
}
rmSync(folder, { recursive: true });
const [whole, limit] = [ratios.whole, ratios.apart].map(median);
console.log(
  `median: ${percent(whole)} of twice one process with one thread; ` +
    `two commands apart ${percent(limit)}, of which two processes reach ${percent(whole / limit)}`,
);
