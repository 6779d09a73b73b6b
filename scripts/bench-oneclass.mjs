/**
 * One digit against the others, by the protocol of Deep SVDD (Ruff et al. 2018): a detector learns from
 * the training images of one digit, and is tested on all 10,000 test images, of which those of the digit
 * are normal.
 *
 *   npm run bench:oneclass -- [--digits 0,1,…] [--seeds 0,1,2] [--setting whole] [--steps 4000] [--out runs/oneclass]
 *
 * What a detector is shown as altered is made of the same digit: see SETTINGS. A picture is as suspicious as
 * the mean of its fragments. Printed is the AUROC of each digit, beside the published ones, and the time
 * of each training on one thread. Started again, it goes on where it stopped: with the same setting and
 * steps nothing is trained twice.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Discriminator, suspicionOf } from '@gpn/runtime';
import { auroc, loadDataset, overrideRecipe, resolveRecipe, train } from '@gpn/training';
import { writeFileAtomic } from '@gpn/training/atomic';

/** Of the digits 0 to 9: Ruff et al. 2018, table 1; the mean of OCGAN is that of Perera et al. 2019. */
const DEEP_SVDD = [98.0, 99.7, 91.7, 91.9, 94.9, 88.5, 98.3, 94.6, 93.9, 96.5];
const OCGAN_MEAN = 97.5;

const SIDE = 28;
const region = { smallest: 10, largest: 18, smooth: 0.3 };
/** The fragments, and what is shown as altered. */
const SETTINGS = {
  /** Small fragments with their context, as a detector of tampering learns. */
  patches: {
    fragment: { internal: 6, frame: 5 },
    negatives: { mismatch: 2, copy: 1, gaussian: 0.5 },
    region: { smallest: 6, largest: 9, smooth: 0.1, beside: 1 },
  },
  /** Half a digit a side. */
  halves: {
    fragment: { internal: 14, frame: 4 },
    negatives: { bend: 1, turn: 1, shuffle: 1, mismatch: 1 },
  },
  /** The whole digit; parts of others pasted into it. */
  pasted: {
    fragment: { internal: SIDE, frame: 0 },
    negatives: { mismatch: 1, copy: 1 },
    region,
  },
  /** The whole digit, bent, turned, or in another order. */
  whole: {
    fragment: { internal: SIDE, frame: 0 },
    negatives: { bend: 1, turn: 1, shuffle: 1 },
  },
};

const { values: options } = parseArgs({
  options: {
    digits: { type: 'string', default: '0,1,2,3,4,5,6,7,8,9' },
    seeds: { type: 'string', default: '0' },
    setting: { type: 'string', default: 'whole' },
    steps: { type: 'string', default: '4000' },
    out: { type: 'string', default: 'runs/oneclass' },
  },
});
const numbers = (text) => text.split(',').map(Number);
const [digits, seeds, steps] = [numbers(options.digits), numbers(options.seeds), +options.steps];
const setting = SETTINGS[options.setting];
if (!setting || !digits.every((d) => d in DEEP_SVDD) || !(steps > 0)) {
  console.error(`--setting is one of ${Object.keys(SETTINGS).join(', ')}; digits are 0 to 9.`);
  process.exit(2);
}

const test = await loadDataset('mnist', {
  ...{ height: SIDE, width: SIDE, channels: 1 },
  split: 'test',
});

function recipeOf(digit, seed) {
  const base = resolveRecipe('gpn-mnist-detector');
  const { predictive, schedule } = base.training;
  const { negatives, region } = setting;
  return overrideRecipe(
    {
      ...base,
      name: `oneclass-${digit}`,
      data: { ...base.data, classes: [digit] },
      model: { ...base.model, fragment: setting.fragment },
      training: {
        ...base.training,
        predictive: { ...predictive, negatives, region },
        schedule,
        seed,
      },
      output: { ...base.output, samples_every: steps, checkpoint_every: Math.min(steps, 1000) },
    },
    { steps },
  );
}

/** The suspicion of each test image: the mean over its fragments, of which whole digits are one. */
async function suspicions(detector) {
  const { fragment, image } = detector.info;
  if (fragment.internal === SIDE) {
    const scale = image.range[1] / 255;
    const pixels = Float32Array.from(test.images, (value) => value * scale);
    const { meaning, values } = await detector.score(pixels);
    return Array.from(values, (score) => suspicionOf(meaning, score));
  }
  const found = [];
  for (let k = 0; k < test.count; k++) {
    const data = test.images.subarray(k * SIDE ** 2, (k + 1) * SIDE ** 2);
    const { meaning, values } = await detector.scoreMap({ width: SIDE, height: SIDE, data });
    found.push(suspicionOf(meaning, mean(values)));
  }
  return found;
}

async function measured(digit, seed) {
  const out = join(options.out, `${options.setting}-${steps}`, `${digit}-${seed}`);
  const result = join(out, 'auroc.json');
  if (existsSync(result)) return JSON.parse(readFileSync(result, 'utf8'));
  const from = performance.now();
  const { discriminator } = await train(recipeOf(digit, seed), {
    ...{ out, device: 'cpu', threads: 1, stage: 'discriminator', resume: true },
  });
  const seconds = (performance.now() - from) / 1000;
  const detector = await Discriminator.load(discriminator, { device: 'cpu', threads: 1 });
  const scores = await suspicions(detector);
  await detector.dispose();
  const other = Array.from(test.labels, (label) => Number(label !== digit));
  const found = { digit, seed, auroc: 100 * auroc(scores, other), seconds };
  await writeFileAtomic(result, JSON.stringify(found));
  return found;
}

function mean(values) {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
const spread = (values) => {
  const middle = mean(values);
  return Math.sqrt(
    values.reduce((sum, v) => sum + (v - middle) ** 2, 0) / Math.max(1, values.length - 1),
  );
};
const show = (values) =>
  values.length > 1
    ? `${mean(values).toFixed(2)} ± ${spread(values).toFixed(2)}`
    : `${mean(values).toFixed(2)}`;

console.log(`\n${options.setting}, ${steps} steps, seeds ${seeds.join(', ')}\n`);
console.log('| digit | AUROC, % | Deep SVDD | seconds a training, one thread |');
console.log('| --- | --- | --- | --- |');
const all = [];
for (const digit of digits) {
  const found = [];
  for (const seed of seeds) found.push(await measured(digit, seed));
  all.push(found.map(({ auroc }) => auroc));
  const time = mean(found.map(({ seconds }) => seconds)).toFixed(0);
  console.log(`| ${digit} | ${show(all.at(-1))} | ${DEEP_SVDD[digit].toFixed(1)} | ${time} |`);
}
const means = seeds.map((_, k) => mean(all.map((values) => values[k])));
const published = mean(digits.map((digit) => DEEP_SVDD[digit])).toFixed(1);
const ocgan = digits.length === 10 ? `; OCGAN ${OCGAN_MEAN}` : '';
console.log(`| mean | ${show(means)} | ${published}${ocgan} | |`);
