/**
 * A sweep of 24 short trainings that is killed five times, with all that it has started, ends with the
 * bytes of one that is not. The packages must be built.
 *
 *   node test/kills/sweep.mjs [--kills 5] [--seed 1]
 *
 * It is killed after as many more runs as the seed draws, and then at a drawn moment of the next ones.
 * Ends with 1 if anything differs, and names the folder in which everything is kept.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stream } from '@gpn/runtime';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const GPN = here('../../cli/bin/gpn-cli.js');

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '5' }, seed: { type: 'string', default: '1' } },
});
const kills = Number(values.kills);
const random = stream(Number(values.seed), 'killed sweep');

/** 3 losses × 2 rates × 4 seeds. */
const RUNS = 24;
const SWEEP = `recipe: recipe.yml
grid:
  training.loss: [modified, hinge, least_squares]
  training.optimizer.generator_lr: [0.001, 0.004]
seeds: 4
steps: 12
evaluate: { samples: 100, classes: [0] }
`;

const folder = mkdtempSync(join(tmpdir(), 'gpn-killed-sweep-'));
const recipe = readFileSync(here('recipe.yml'), 'utf8').replace(/ {2}(evaluate_|on_coll).*\n/g, '');
writeFileSync(join(folder, 'recipe.yml'), recipe);
writeFileSync(join(folder, 'sweep.yml'), SWEEP);

const start = (out) =>
  spawn(process.execPath, [GPN, 'sweep', 'sweep.yml', '-o', out], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
const done = (out) => {
  const path = join(folder, out, 'results');
  return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.json')).length : 0;
};

/** Runs a sweep to its end. */
async function whole(out) {
  const [code] = await once(start(out), 'exit');
  if (code !== 0) throw new Error(`the sweep in ${join(folder, out)} ended with ${code}`);
}

/** Kills a sweep some time after it has finished more runs. @returns how many are finished then */
async function killed(out, kill) {
  const share = Math.floor((RUNS * (kill + 1)) / (kills + 1));
  const child = start(out);
  const ended = once(child, 'exit');
  while (done(out) < share && child.exitCode === null) await sleep(20);
  await sleep(random.uniform(1, 0, 1500)[0]);
  child.kill('SIGKILL');
  const [code] = await ended;
  if (code !== null) throw new Error(`the sweep ended with ${code} before it was killed`);
  return done(out);
}

await whole('whole');
const after = [];
for (let kill = 0; kill < kills; kill++) after.push(await killed('broken', kill));
await whole('broken');

const bytes = (out, name) => readFileSync(join(folder, out, name));
const files = ['results.json', 'results.md', 'results.svg'];
const differing = files.filter((name) => !bytes('whole', name).equals(bytes('broken', name)));
const { rows } = JSON.parse(bytes('broken', 'results.json'));
console.log(
  `${rows.length} runs, killed ${kills} times with ${after.join(', ')} of them done: ` +
    (differing.length > 0
      ? `${differing.join(' and ')} differ, see ${folder}`
      : 'the results have the bytes of an unbroken sweep’s'),
);
if (differing.length > 0) process.exitCode = 1;
else rmSync(folder, { recursive: true });
