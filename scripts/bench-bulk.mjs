/**
 * What a second process adds in bulk: `score --manifest` with one process and with two, one thread each, in
 * turns. The packages must be built.
 *
 *   node scripts/bench-bulk.mjs [--pictures 2000] [--rounds 3]
 *
 * The seconds that a command takes to start and to join count, so that few pictures show them. Two processes on two idle processors should do 90 % of twice what one does; other work on them shows.
 */
import { spawnSync } from 'node:child_process';
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

/** Pictures a second, from the start of the command to its end. */
function pace(jobs) {
  const out = join(folder, 'out');
  rmSync(out, { recursive: true, force: true });
  const args = [
    '--model',
    'gpn-mnist-large-discriminator',
    '--manifest',
    'pictures',
    '--fragments',
  ];
  const more = ['--stride', '1', '--shard-size', '10', '--jobs', `${jobs}`, '--out', out];
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [GPN, 'score', ...args, ...more], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return (1000 * Number(values.pictures)) / (performance.now() - begun);
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const load = () => loadavg()[0].toFixed(1);
console.log(`${availableParallelism()} processors, load ${load()}`);
const ratios = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const [one, two] = [pace(1), pace(2)];
  ratios.push(two / (2 * one));
  console.log(
    `one process ${one.toFixed(1)} pictures/s, two ${two.toFixed(1)}: ${(100 * ratios.at(-1)).toFixed(0)} % of twice one (load ${load()})`,
  );
}
rmSync(folder, { recursive: true });
console.log(`median: ${(100 * median(ratios)).toFixed(0)} % of twice one process with one thread`);
