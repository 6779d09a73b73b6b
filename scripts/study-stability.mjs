/**
 * The study of stability (docs/results/stability.md): a sweep, whose results are committed row by row.
 *
 *   npm run study:stability                      trains what is not done yet, and measures it
 *   npm run study:stability -- --only gpn        one setting, or one run (gpn-seed0)
 *   npm run study:stability -- --table           the table of the committed results
 *   npm run study:stability -- --time            how long each setting takes on this machine
 *
 * Further options are those of `gpn-cli sweep`, such as --jobs 1.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MEASURES, readSweep, train } from '@gpn/training';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const FILE = at('studies/stability.yml');
const RUNS = at('../runs/studies/stability');
const KEPT = at('../docs/results/stability');

/** What others have measured: of `quarter-…` by the same protocol, but for fifty times as many steps. */
const PUBLISHED = {
  'quarter-dcgan': '78.5 ± 17.6; 5.21 (PacGAN)',
  'quarter-pacdcgan2': '484.5 ± 33.0; 2.61 (PacGAN)',
  'quarter-pacdcgan4': '667.4 ± 29.0; 1.81 (PacGAN)',
  'r1-r2': '693; 0.93 (R3GAN, larger networks)',
  'pairs-r1-r2': '1,000; 0.078 (R3GAN, larger networks)',
};

function sweep(out, options, stdio = 'inherit') {
  const cli = at('../cli/bin/gpn-cli.js');
  const { status, stdout } = spawnSync(
    process.execPath,
    [cli, 'sweep', FILE, '-o', out, ...options],
    { stdio: ['ignore', stdio, 'inherit'], encoding: 'utf8', maxBuffer: 2 ** 30 },
  );
  return { status, stdout };
}

/** A mean with its error, to two digits of the error and at most three decimals. */
function shown({ mean, error }) {
  const digits = error >= 0.001 ? 1 - Math.floor(Math.log10(error)) : 3;
  const rounded = (value) => Number(value.toFixed(Math.min(3, Math.max(0, digits))));
  return error === undefined ? `${rounded(mean)}` : `${rounded(mean)} ± ${rounded(error)}`;
}

/** Of a setting without a result, none. */
const modesOf = ({ scores }) => scores.modes?.mean ?? 0;

/** The committed results as a table in Markdown, most modes first, each row with the command that makes it again. */
function printTable() {
  const { stdout } = sweep(KEPT, ['--table', '--json'], 'pipe');
  const { means, show } = JSON.parse(stdout);
  const ranked = means.toSorted((a, b) => modesOf(b) - modesOf(a));
  const rows = ranked.map(({ setting, seeds, scores }) => [
    setting,
    seeds,
    ...show.map((name) => (scores[name] ? shown(scores[name]) : '–')),
    PUBLISHED[setting] ?? '',
    `\`npm run study:stability -- --only ${setting}\``,
  ]);
  const titles = show.map((name) => MEASURES[name].title);
  const table = [
    ['setting', 'seeds', ...titles, 'published: modes; divergence', 'command'],
    ['---', ...titles.map(() => '---'), '---', '---', '---'],
    ...rows,
  ];
  for (const cells of table) console.log(`| ${cells.join(' | ')} |`);
}

/**
 * Milliseconds of a step after the first ones, on one thread: of the processor, which other programs on
 * the machine do not change. Those of a GPN are of a step of each network.
 */
async function stepTime({ recipe }) {
  const [from, to] = [10, 30];
  const out = mkdtempSync(join(tmpdir(), 'stability-'));
  const times = [];
  const now = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const on = ({ type }) => type === 'step' && times.push(now());
  const length = { ...recipe.training, steps: to, ...oneRound(recipe.training) };
  try {
    await train({ ...recipe, training: length }, { out, device: 'cpu', threads: 1, on });
  } finally {
    rmSync(out, { recursive: true });
  }
  // Between the two phases of a GPN its judge is measured.
  const starts = Array.from({ length: times.length / to }, (_, phase) => phase * to);
  return starts.reduce(
    (sum, start) => sum + (times[start + to - 1] - times[start + from - 1]) / (to - from),
    0,
  );
}
const oneRound = ({ predictive }) => predictive && { predictive: { ...predictive, rounds: 1 } };

async function printTimes() {
  const { rows } = readSweep(FILE);
  let total = 0;
  for (const setting of new Set(rows.map((row) => row.setting))) {
    const own = rows.filter((row) => row.setting === setting);
    const ms = await stepTime(own[0]);
    const minutes = (ms * own[0].recipe.training.steps) / 60_000;
    total += minutes * own.length;
    console.log(
      `${setting}: ${ms.toFixed(1)} ms a step, ${minutes.toFixed(1)} min a run, ${own.length} runs`,
    );
  }
  const cores = availableParallelism();
  console.log(
    `all: ${(total / 60).toFixed(1)} h on one processor, ${(total / 60 / cores).toFixed(1)} h on ${cores}, and the evaluations`,
  );
}

const options = process.argv.slice(2);
if (options.includes('--table')) printTable();
else if (options.includes('--time')) await printTimes();
else {
  const { status } = sweep(RUNS, options);
  if (existsSync(join(RUNS, 'results'))) {
    cpSync(join(RUNS, 'results'), join(KEPT, 'results'), { recursive: true });
  }
  process.exitCode = status;
}
