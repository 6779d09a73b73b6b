/**
 * What makes Generative Predictive Networks draw digits, and what does not: short trainings that
 * differ from `gpn-mnist-large` in one thing each, and their grids (docs/results/gpn.md shows them).
 *
 *   node scripts/gpn-experiments.mjs [NAME …] [--steps 800] [--out runs/gpn-experiments]
 *
 * Steps are those of each network. Printed are, of the last tenth of a training's steps, the mean
 * probability that the judge gives to generated fragments being fake, and the discriminator's mean
 * loss; and how the 64 images of the grid differ: the standard deviation of a pixel over the images,
 * meant over all pixels. The last line has it for as many real digits.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Generator } from '@gpn/runtime';
import { loadDataset, recipeToYaml, resolveRecipe, train } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: 'string', default: '800' },
    out: { type: 'string', default: 'runs/gpn-experiments' },
  },
});
const steps = Number(options.steps);

const large = (change) => (wanted) => {
  const recipe = resolveRecipe('gpn-mnist-large', { steps: wanted });
  const { model = {}, predictive = {} } = change(wanted);
  return {
    ...recipe,
    model: { ...recipe.model, ...model },
    training: {
      ...recipe.training,
      predictive: { ...recipe.training.predictive, ...predictive },
    },
  };
};
const rounds = (of) => large((all) => ({ predictive: { rounds: Math.ceil(all / of) } }));

const VARIANTS = {
  /** The setting that was first proposed: fragments of 4 × 4 pixels, one round. */
  source: (wanted) => resolveRecipe('gpn-mnist', { steps: wanted }),
  /** Large fragments, and otherwise as proposed: one round, so no generated fragments. */
  'one-round': large(() => ({ predictive: { rounds: 1 } })),
  'rounds-of-100': rounds(100),
  'rounds-of-10': rounds(10),
  'rounds-of-1': rounds(1),
  'no-diversity': large((all) => ({
    predictive: { rounds: Math.ceil(all / 10), diversity: undefined },
  })),
  'spectral-norm': large((all) => ({
    model: { spectral_norm: true },
    predictive: { rounds: Math.ceil(all / 10) },
  })),
  /** Fragments of 14 pixels: strokes and their ends, no digits. */
  'small-fragments': large((all) => ({
    model: { fragment: { internal: 6, frame: 4 } },
    predictive: { rounds: Math.ceil(all / 10), generator_fragments: 4 },
  })),
};

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** Means over the last tenth of the steps that measured this. */
function late(rows, name) {
  const values = rows.map((row) => row[name]).filter((value) => value !== undefined);
  return mean(values.slice(Math.floor(0.9 * values.length)));
}

const SHOWN = 64;

async function drawn(file) {
  const generator = await Generator.load(file, { device: 'cpu' });
  const { data } = await generator.sample({ count: SHOWN, seed: 0 });
  await generator.dispose();
  return data;
}

/** The standard deviation of a pixel over the images, meant over all pixels. */
function spread(data) {
  const pixels = data.length / SHOWN;
  return mean(
    Array.from({ length: pixels }, (_, p) => {
      const values = Array.from({ length: SHOWN }, (_, n) => data[n * pixels + p]);
      const middle = mean(values);
      return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
    }),
  );
}

const unknown = positionals.find((name) => !(name in VARIANTS));
if (unknown) {
  console.error(`There is no ${unknown}; there are ${Object.keys(VARIANTS).join(', ')}.`);
  process.exit(2);
}
console.log('| variant | steps | fake | D loss | spread |');
console.log('| --- | --- | --- | --- | --- |');
mkdirSync(options.out, { recursive: true });
for (const name of positionals.length > 0 ? positionals : Object.keys(VARIANTS)) {
  const out = join(options.out, `${name}-${steps}`);
  // Through a file, so that a variant is checked as any recipe is.
  await writeFileAtomic(`${out}.yml`, recipeToYaml({ ...VARIANTS[name](steps), name }));
  const recipe = resolveRecipe(`${out}.yml`);
  if (!existsSync(join(out, 'generator.onnx')))
    await train(recipe, { out, device: 'cpu', resume: true });
  const rows = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const newest = readdirSync(join(out, 'samples')).sort().at(-1);
  const grid = join(options.out, `${name}.png`);
  copyFileSync(join(out, 'samples', newest), grid);
  const figures = [late(rows, 'fake'), late(rows, 'discriminator')].map((x) => x.toFixed(3));
  const apart = spread(await drawn(join(out, 'generator.onnx'))).toFixed(3);
  console.log(`| ${[name, steps, ...figures, apart].join(' | ')} |`);
}
const { images } = await loadDataset('mnist', {
  height: 28,
  width: 28,
  channels: 1,
  split: 'test',
});
const real = Float32Array.from(images.subarray(0, SHOWN * 28 ** 2), (pixel) => pixel / 255);
console.log(`| real digits | | | | ${spread(real).toFixed(3)} |`);
