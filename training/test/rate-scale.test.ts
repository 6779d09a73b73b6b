/** Learning rates that change as a run goes on: by a cosine, and by the option that a divergence advises. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readModelInfo } from '@gpn/runtime';
import { beforeAll, expect, test } from 'vitest';
import { readMetricsLog } from '../src/files/metrics-log.js';
import { checkRecipe } from '../src/recipe/check.js';
import { resolveRecipe } from '../src/recipe/load.js';
import type { Recipe } from '../src/recipe/schema.js';
import { train } from '../src/run/loop.js';
import type { TrainOptions } from '../src/run/types.js';
import { temporaryFolder } from './temp-folder.js';

const folder = await temporaryFolder();
const ADAM = { type: 'adam', beta1: 0.5, beta2: 0.9 } as const;
const output = { samples_every: 100, checkpoint_every: 2, sample_count: 4 };

/** The pairwise relativistic loss with all that a cosine can move. */
function recipeOf(steps: number, training: Partial<Recipe['training']> = {}): Recipe {
  const recipe = resolveRecipe('gan-zeros', { steps, seed: 0 });
  return checkRecipe({
    ...recipe,
    model: { ...recipe.model, batch_norm: false },
    training: {
      ...recipe.training,
      ...{ loss: 'relativistic_pairs', label_smoothing: 0, r1: 0.1, r2: 0.1 },
      augmentation: ['translation', 'cutout'],
      ...{ optimizer: { ...ADAM, generator_lr: 1e-3, discriminator_lr: 1e-3 } },
      schedule: { type: 'cosine', steps: 6, factor: 0.25, penalty_factor: 0.1, beta2: 0.99 },
      ...training,
    },
    output,
  });
}

/** Trains, and returns its notes. */
async function run(out: string, recipe: Recipe, options: Partial<TrainOptions> = {}) {
  const notes: string[] = [];
  await train(recipe, {
    ...{ out: join(folder, out), resume: true, device: 'cpu', threads: 1, ...options },
    on: (event) => event.type === 'note' && notes.push(event.text),
  });
  return notes;
}

const bytes = (out: string, file = 'checkpoints/step-000008.safetensors') =>
  readFileSync(join(folder, out, file));

beforeAll(() => run('whole', recipeOf(8)));

test('a run that is stopped within a cosine ends with the same bytes', async () => {
  await run('parts', recipeOf(3));
  await run('parts', recipeOf(8));
  expect(bytes('parts').equals(bytes('whole'))).toBe(true);
});

test('a cosine over the whole training cannot get another length', async () => {
  const { steps: _, ...schedule } = recipeOf(1).training.schedule as { steps?: number };
  const whole = (steps: number) => recipeOf(steps, { schedule } as Partial<Recipe['training']>);
  await run('cosine', whole(4));
  await expect(run('cosine', whole(8))).rejects.toThrow(
    /none can change on --resume, not even its length, because the cosine .* has no steps of its own/,
  );
});

test('learning rates that are halved on resuming stay so, are recorded, and can be halved again', async () => {
  for (const out of ['halved', 'again']) {
    await run(out, recipeOf(4));
    expect(await run(out, recipeOf(6), { learningRateScale: 0.5 })).toEqual([
      'From step 4 on the learning rates are multiplied by 0.5; the checkpoints record it.',
    ]);
    expect(await run(out, recipeOf(8))).toEqual([]);
  }
  expect(bytes('again').equals(bytes('halved'))).toBe(true);
  expect(bytes('halved').equals(bytes('whole'))).toBe(false);
  const { training } = readModelInfo(bytes('halved', 'generator.onnx'));
  expect(training?.learning_rate_scales).toEqual([{ step: 4, factor: 0.5 }]);
  const rows = await readMetricsLog(join(folder, 'halved/metrics.jsonl'));
  expect(rows.filter((row) => 'learning_rate_scale' in row)).toEqual([
    { step: 4, learning_rate_scale: 0.5 },
  ]);
  expect(await run('halved', recipeOf(10), { learningRateScale: 0.5 })).toEqual([
    'From step 8 on the learning rates are multiplied by 0.5, by 0.25 in all; the checkpoints record it.',
  ]);
});

test('a scale from the first step equals other learning rates in the recipe', async () => {
  const { optimizer } = recipeOf(8).training;
  const half = {
    ...optimizer,
    generator_lr: optimizer.generator_lr / 2,
    discriminator_lr: optimizer.discriminator_lr / 2,
  };
  await run('recipe', recipeOf(4, { optimizer: half }));
  await run('option', recipeOf(4), { learningRateScale: 0.5 });
  const [recipe, option] = ['recipe', 'option'].map((out) =>
    readModelInfo(bytes(out, 'generator.onnx')),
  );
  expect(option?.certificate?.values).toEqual(recipe?.certificate?.values);
});

test('after a divergence the advice works: the run goes on with --resume at lower rates', async () => {
  const safe = (steps: number) =>
    recipeOf(steps, {
      optimizer: { type: 'sgd', generator_lr: 1e-6, discriminator_lr: 1e-6 },
      ...{ schedule: null, r1: 1000, r2: 1000 },
    });
  await run('diverged', safe(2));
  const problem = await run('diverged', safe(8), { learningRateScale: 1e6 }).then(
    () => '',
    (error: Error) => error.message,
  );
  expect(problem).toMatch(
    /^The losses are not finite at step \d: the training has diverged\. Give the same command with --resume --learning-rate-scale 0\.5, which continues from .*step-000002\.safetensors at half the learning rates; /,
  );
  expect(await run('diverged', safe(8), { learningRateScale: 0.5 })).toEqual([
    'From step 2 on the learning rates are multiplied by 0.5; the checkpoints record it.',
  ]);
});

test('a divergence before the first checkpoint is to start again at lower rates', async () => {
  const ruinous = recipeOf(8, {
    optimizer: { type: 'sgd', generator_lr: 1, discriminator_lr: 1 },
    ...{ schedule: null, r1: 1000, r2: 1000 },
  });
  await expect(run('at once', ruinous)).rejects.toThrow(
    'Nothing was saved before; start again at lower learning rates: with --learning-rate-scale 0.1, or in the recipe.',
  );
  expect(await run('at once', ruinous, { learningRateScale: 1e-6 })).toHaveLength(1);
});
