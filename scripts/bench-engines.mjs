/**
 * `npm run bench:engines`: the engine tensorflow beside the engine onnx, on the CPU. Needs
 * @tensorflow/tfjs-node, which `npm run tensorflow` gets.
 *
 *   npm run bench:engines                            a table: ten steps of every recipe
 *   npm run bench:engines -- dcgan-mnist --steps 2   some recipes, so many steps of each phase
 *   npm run bench:engines -- --json                  an array, for programs
 *
 * Both engines start from the same weights and take the same batches, of the recipe's own size. A
 * step's time is the average of all steps but the first. `difference` is the largest between the losses
 * of both engines, relative to a loss that is larger than 1. Rounding grows from step to step, because
 * the first steps of Adam follow the sign of a gradient, however small it is. `rounding` says how far:
 * it is the largest difference of the engine onnx from itself in three more runs, started from weights
 * whose last bits are altered. Where a recipe's own pictures cannot be had, MNIST or noise stands in.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Images, stream, UserError } from '@gpn/runtime';
import { ganOf, loadDataset, recipeNames, resolveRecipe, startingState } from '@gpn/training';
import { ENGINES } from '../training/dist/engine/choice.js';
import { firstRates } from '../training/dist/run/progress.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    steps: { type: 'string', default: '10' },
  },
});
const steps = Number(options.steps);
const ALTERED = 3;
const folder = mkdtempSync(join(tmpdir(), 'gpn-engines-'));
const head = ['recipe', 'phase', 'onnx, ms', 'tensorflow, ms', 'difference', 'rounding'];
try {
  const rows = [];
  if (!options.json) for (const cells of [head, head.map(() => '---')]) print(cells);
  for (const name of positionals.length > 0 ? positionals : recipeNames()) {
    const recipe = resolveRecipe(name);
    const found = await compare(recipe, await dataOf(recipe));
    if (!options.json) for (const row of found) print(cellsOf(row));
    rows.push(...found);
  }
  if (options.json) console.log(JSON.stringify(rows, null, 2));
} finally {
  rmSync(folder, { recursive: true });
}

/** A row for each step that a recipe has; the rounds of a phase share theirs. */
async function compare(recipe, dataset) {
  const { phases, state: specs } = ganOf(recipe);
  const random = stream(recipe.training.seed, 'initialization');
  const state = startingState(specs, recipe.model.initialization, random);
  const rows = [];
  for (const phase of phases) {
    if (phases.find(({ step }) => step === phase.step) !== phase) continue;
    const { feeds } = phase.data(dataset);
    const rates = firstRates(recipe, phase);
    const all = Array.from({ length: steps }, (_, k) => ({ ...feeds(k), ...rates }));
    const onnx = await run('onnx', phase, state, all);
    const tensorflow = await run('tensorflow', phase, state, all);
    const drift = [];
    for (let seed = 0; seed < ALTERED; seed++) {
      const { losses } = await run('onnx', phase, lastBitsAltered(state, seed), all);
      drift.push(furthest(onnx.losses, losses));
    }
    rows.push({
      recipe: recipe.name,
      phase: phase.name,
      onnx: onnx.ms,
      tensorflow: tensorflow.ms,
      difference: furthest(onnx.losses, tensorflow.losses),
      rounding: Math.max(...drift),
    });
  }
  return rows;
}

/** Runs a phase from a state. */
async function run(engine, { step, inputs, flops }, state, feeds) {
  const ready = await ENGINES[engine](step, inputs, { device: 'cpu', flops });
  try {
    ready.load(state);
    const [first, ...others] = feeds;
    const losses = [await ready.run(first)];
    const begun = performance.now();
    losses.push(...(await ready.runAll(others)));
    return { losses, ms: (performance.now() - begun) / others.length };
  } finally {
    await ready.dispose();
  }
}

/** Each number is altered by about half of what float32 can tell apart, up or down. */
function lastBitsAltered(state, seed) {
  const random = stream(seed, 'last bits');
  const altered = Object.entries(state).map(([name, tensor]) => {
    const signs = random.uniform(tensor.data.length, -1, 1);
    const data = tensor.data.map((x, i) =>
      Number.isFinite(x) ? x * (1 + signs[i] * 2 ** -23) : x,
    );
    return [name, { ...tensor, data }];
  });
  return Object.fromEntries(altered);
}

function furthest(a, b) {
  const pairs = a.flatMap((losses, i) => Object.keys(losses).map((k) => [losses[k], b[i][k]]));
  return Math.max(...pairs.map(([x, y]) => Math.abs(x - y) / Math.max(1, Math.abs(x))));
}

/** The recipe's own data, or what stands in if it is not installed. */
async function dataOf({ data }) {
  const standIn = data.height === 28 ? 'mnist' : await noise(data.height, data.width);
  return loadDataset(data.dataset, data).catch((error) => {
    if (error instanceof UserError) return loadDataset(standIn, data);
    throw error;
  });
}

/** A folder of pictures. */
async function noise(height, width) {
  const pictures = join(folder, 'noise');
  mkdirSync(pictures, { recursive: true });
  for (let i = 0; i < 64; i++) {
    const pixels = stream(i, 'pictures').uniform(height * width * 3, 0, 1);
    const picture = new Images(1, height, width, 3, [0, 1], Float32Array.from(pixels));
    writeFileSync(join(pictures, `${i}.png`), await picture.toPNG());
  }
  return pictures;
}

function print(cells) {
  console.log(`| ${cells.join(' | ')} |`);
}

function cellsOf({ recipe, phase, onnx, tensorflow, difference, rounding }) {
  const numbers = [onnx.toFixed(1), tensorflow.toFixed(1)];
  return [recipe, phase, ...numbers, difference.toExponential(1), rounding.toExponential(1)];
}
