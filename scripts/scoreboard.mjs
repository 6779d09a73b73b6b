/**
 * `npm run bench:quality`: every bundled generator under one protocol, in one table.
 *
 *   npm run bench:quality                          10,000 samples each, seed 0
 *   npm run bench:quality -- dcgan-mnist lsgan-mnist
 *   npm run bench:quality -- --samples 2000 --seeds 3 --json
 *
 * Beside the scorecard's figures stand those of some systems alone: how many of gan-zeros' images
 * are judged to be zeros, how wrong InfoGAN's categories are as a classifier of the test set, how the
 * brightness of a digit follows the code that is tied to its thickness, and how much of the test set a
 * classifier gets right that has seen images of cdcgan-mnist alone (that one takes minutes).
 */
import { parseArgs } from 'node:util';
import { pretrainedModels } from '@gpn/models/pretrained';
import { Generator, readModelInfo, readSource } from '@gpn/runtime';
import { draw, openEvaluator, trainedOn } from '@gpn/training';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    samples: { type: 'string', default: '10000' },
    seeds: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const samples = Number(options.samples);
const seeds = Array.from({ length: Number(options.seeds) }, (_, seed) => seed);

/** What is measured of some systems alone, beside their scores. */
const OF_ONE = {
  'gan-zeros': async (_, { classes }) => ({ zeros: classes.generated[0] }),
  'infogan-mnist-thickness': thickness,
  'cdcgan-mnist': trained,
};

const wanted = pretrainedModels().filter(
  ({ name }) => positionals.length === 0 || positionals.includes(name),
);
const board = [];
for (const data of ['mnist', 'fashion']) {
  const models = [];
  for (const { name, path } of wanted) {
    const { kind, training } = readModelInfo((await readSource(path)).bytes, name);
    if (kind !== 'generator' || training?.dataset.name !== data) continue;
    models.push({ name, generator: await Generator.load(path, { device: 'cpu' }) });
  }
  if (models.length === 0) continue;
  const size = models[0].generator.info.image;
  const evaluator = await openEvaluator(data, size, { samples, seeds });
  for (const { name, generator } of models) {
    process.stderr.write(`${name} …\n`);
    const infogan = generator.info.condition?.input === 'categories';
    const { evaluation } = await evaluator.evaluate(generator, {
      ...(infogan && { categories: `${name}-discriminator` }),
    });
    const more = (await OF_ONE[name]?.(generator, evaluation, evaluator.real)) ?? {};
    board.push({ name, data, protocol: evaluation.protocolHash, evaluation, more });
    await generator.dispose();
  }
  await evaluator.dispose();
}
if (options.json) console.log(JSON.stringify(board, null, 2));
else for (const line of table(board)) console.log(line);

function table(entries) {
  const figure = (score, digits) => (score ? score.value.toFixed(digits) : '–');
  const range = ({ interval } = {}) =>
    interval ? ` [${interval.map((x) => x.toFixed(1)).join(', ')}]` : '';
  const share = (shares) =>
    shares.length > 0 ? shares.map((x) => `${(100 * x).toFixed(0)}%`).join(' – ') : '';
  const lines = entries
    .toSorted((a, b) => a.data.localeCompare(b.data) || at(a) - at(b))
    .map(({ name, data, evaluation: { scores, classes }, more }) => [
      name,
      data,
      figure(scores.frechet, 1) + range(scores.frechet),
      figure(scores.precision, 3),
      figure(scores.recall, 3),
      figure(scores.agreement, 4),
      figure(scores.categoryError, 4),
      figure(scores.deviation, 3),
      classes ? share([Math.min(...classes.generated), Math.max(...classes.generated)]) : '–',
      Object.entries(more)
        .map(([key, value]) => `${key} ${typeof value === 'number' ? value.toFixed(4) : value}`)
        .join(', '),
    ]);
  const heads = [
    'model',
    'data',
    'Fréchet [95 %]',
    'precision',
    'recall',
    'agreement',
    'category error',
    'deviation',
    'classes',
    'more',
  ];
  return [heads, heads.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`);
}

function at({ evaluation }) {
  return evaluation.scores.frechet?.value ?? Number.POSITIVE_INFINITY;
}

/**
 * For how many categories the mean brightness rises with the first code, from −1 to 1 in 9 steps, and
 * by how much it does at least.
 */
async function thickness(generator) {
  const rising = [];
  const risen = [];
  for (let category = 0; category < 10; category++) {
    const means = [];
    for (let k = 0; k < 9; k++) {
      const codes = new Float32Array(2 * 200);
      for (let i = 0; i < 200; i++) codes[2 * i] = -1 + k / 4;
      const { data } = await generator.sample({ count: 200, seed: 0, labels: category, codes });
      means.push(data.reduce((sum, x) => sum + x, 0) / data.length);
    }
    rising.push(means.every((mean, k) => k === 0 || mean > means[k - 1]));
    risen.push(means.at(-1) / means[0] - 1);
  }
  const least = (100 * Math.min(...risen)).toFixed(0);
  return {
    'thicker with the code': `${rising.filter(Boolean).length} of 10, by ${least} % or more`,
  };
}

/** The accuracy of a classifier on the test set, which learns from generated images alone. */
async function trained(generator, _, real) {
  const pictures = await draw(generator, real.train.count, 0);
  const scores = await trainedOn(real, { pictures });
  return { 'trained on it': scores.trained.value };
}
