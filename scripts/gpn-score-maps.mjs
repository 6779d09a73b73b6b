/**
 * How well the score maps of judges of fragments find what does not belong into a picture:
 *
 *   node scripts/gpn-score-maps.mjs FILE.onnx …     these judges
 *   node scripts/gpn-score-maps.mjs --train         judges of several sizes, trained first
 *     [--size 6:4 …] [--steps 5000] [--count 1000] [--picture maps.png]
 *
 * Into each of so many test images of MNIST goes a patch of 6 × 6 pixels from another, both at
 * random places; one that changes less than a tenth of its pixels is drawn anew. A pixel is as
 * suspicious as the most suspicious fragment whose internal part it is in. Printed is the area under
 * the ROC curve of all pixels of all images: how likely a pixel of a patch is more suspicious than
 * one beside it.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Discriminator, Images, probability, stream } from '@gpn/runtime';
import { loadDataset, pixelAuroc, recipeToYaml, resolveRecipe, train } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';

const SIDE = 28;
const PATCH = 6;
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    train: { type: 'boolean', default: false },
    /** Internal part and frame. */
    size: { type: 'string', multiple: true, default: ['2:1', '4:3', '6:2', '6:4', '6:6', '8:4'] },
    steps: { type: 'string', default: '5000' },
    count: { type: 'string', default: '1000' },
    picture: { type: 'string' },
  },
});

/** Test images, each with a patch of another, and which pixels are the patch's. */
async function tamper(count) {
  const { images } = await loadDataset('mnist', {
    ...{ height: SIDE, width: SIDE, channels: 1 },
    split: 'test',
  });
  const total = images.length / SIDE ** 2;
  const random = stream(0, 'tampered');
  const order = random.permutation(total).subarray(0, count);
  return Array.from(order, (index) => {
    const original = images.subarray(index * SIDE ** 2, (index + 1) * SIDE ** 2);
    for (;;) {
      const other = random.below(1, total)[0];
      const [row, column, fromRow, fromColumn] = random.below(4, SIDE - PATCH + 1);
      const pixels = original.slice();
      const inPatch = new Uint8Array(SIDE ** 2);
      let changed = 0;
      for (let y = 0; y < PATCH; y++) {
        for (let x = 0; x < PATCH; x++) {
          const to = (row + y) * SIDE + column + x;
          pixels[to] = images[other * SIDE ** 2 + (fromRow + y) * SIDE + fromColumn + x];
          inPatch[to] = 1;
          if (pixels[to] !== original[to]) changed++;
        }
      }
      if (other !== index && changed >= PATCH ** 2 / 10) return { pixels, inPatch };
    }
  });
}

/** How suspicious each pixel is: the logit of "altered" of the worst of the fragments around it. */
async function suspicion(judge, pixels) {
  const { internal } = judge.info.fragment;
  const picture = { width: SIDE, height: SIDE, data: pixels };
  const { values, rows, columns } = await judge.scoreMap(picture);
  const worst = new Float32Array(SIDE ** 2).fill(Number.NEGATIVE_INFINITY);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const altered = -values[row * columns + column];
      for (let y = row; y < row + internal; y++) {
        for (let x = column; x < column + internal; x++) {
          worst[y * SIDE + x] = Math.max(worst[y * SIDE + x], altered);
        }
      }
    }
  }
  return worst;
}

async function measure(file, tampered) {
  const judge = await Discriminator.load(file, { device: 'cpu' });
  try {
    const maps = [];
    for (const { pixels } of tampered) maps.push(await suspicion(judge, pixels));
    const area = pixelAuroc(
      tampered.map(({ inPatch }, k) => ({ width: SIDE, mask: inPatch, scores: maps[k] })),
    );
    const { fragment, quality = [], training } = judge.info;
    const accuracy = Object.fromEntries(
      quality.map(({ metric, value }) => [metric.replace(/^.*, /, ''), value]),
    );
    return { file, fragment, steps: training?.steps, area, accuracy, maps };
  } finally {
    await judge.dispose();
  }
}

/** Trains a judge of this size alone, on real, noisy, blurred and mismatched fragments. */
async function trained([internal, frame], steps) {
  const out = join('runs', `gpn-maps-${internal}-${frame}-${steps}`);
  const recipe = resolveRecipe('gpn-mnist-large', { steps });
  const { predictive } = recipe.training;
  const negatives = { noise: 1, blur: 1, mismatch: 1 };
  if (existsSync(join(out, 'discriminator.onnx'))) return join(out, 'discriminator.onnx');
  mkdirSync('runs', { recursive: true });
  await writeFileAtomic(
    `${out}.yml`,
    recipeToYaml({
      ...recipe,
      name: `gpn-${internal}-${frame}`,
      model: { ...recipe.model, fragment: { internal, frame } },
      training: {
        ...recipe.training,
        predictive: { ...predictive, negatives, rounds: 1 },
        optimizer: {
          ...recipe.training.optimizer,
          discriminator_lr: 1e-3,
          beta1: 0.9,
          beta2: 0.999,
        },
      },
    }),
  );
  const { discriminator } = await train(resolveRecipe(`${out}.yml`, {}), {
    out,
    stage: 'discriminator',
    device: 'cpu',
    threads: 1, // so small a network is no faster with more
  });
  return discriminator;
}

/** Rows of tampered digits, and of what the maps make of them, bright where they are suspicious. */
async function draw(path, tampered, results, shown = 16) {
  const rows = [
    ...tampered.slice(0, shown).map(({ pixels }) => Float32Array.from(pixels, (p) => p / 255)),
    ...tampered
      .slice(0, shown)
      .map(({ pixels, inPatch }) =>
        Float32Array.from(pixels, (p, k) => (inPatch[k] ? 0.5 + p / 510 : p / 510)),
      ),
    ...results.flatMap(({ maps }) =>
      maps.slice(0, shown).map((map) => map.map((logit) => probability('logit', logit))),
    ),
  ];
  const data = Float32Array.from(rows.flatMap((row) => [...row]));
  const images = new Images(rows.length, SIDE, SIDE, 1, [0, 1], data);
  writeFileSync(path, await images.toPNG({ columns: shown }));
}

const files = [...positionals];
if (options.train) {
  for (const size of options.size)
    files.push(await trained(size.split(':').map(Number), Number(options.steps)));
}
if (files.length === 0) {
  console.error('usage: node scripts/gpn-score-maps.mjs FILE.onnx … | --train');
  process.exit(2);
}
const tampered = await tamper(Number(options.count));
const results = [];
const percent = (share) => (share === undefined ? '' : (100 * share).toFixed(1));
console.log(
  '| internal | frame | steps | real % | noise % | blur % | mismatch % | gaussian % | AUC |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
for (const file of files) {
  const result = await measure(file, tampered);
  results.push(result);
  const { fragment, steps, area, accuracy } = result;
  const shares = ['real', 'noise', 'blur', 'mismatch', 'gaussian'].map((k) => percent(accuracy[k]));
  console.log(
    `| ${[fragment.internal, fragment.frame, steps, ...shares, area.toFixed(4)].join(' | ')} |`,
  );
}
if (options.picture) await draw(options.picture, tampered, results);
