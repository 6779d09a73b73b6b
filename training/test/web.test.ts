/** The entry for pages, under Node, where it must come to the bytes that `train` comes to. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectModel } from '@gpn/export';
import {
  Generator,
  loadModel,
  readModelInfo,
  stream,
  UserError,
  withMetadata,
  withModelInfo,
} from '@gpn/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { readCheckpoint } from '../src/checkpoint/checkpoint.js';
import { loadDataset } from '../src/data/sets/dataset.js';
import type { Dataset } from '../src/data/types.js';
import { compile } from '../src/engine/compiled.js';
import type { State } from '../src/engine/types.js';
import { exportNetwork } from '../src/export/network.js';
import { stepFile } from '../src/export/step.js';
import { readStepInfo, STEP_KEY, type StepPhase } from '../src/export/step-file.js';
import { checkRecipe } from '../src/recipe/check.js';
import { ganOf } from '../src/recipe/gan.js';
import { resolveRecipe } from '../src/recipe/load.js';
import type { Recipe } from '../src/recipe/schema.js';
import { train } from '../src/run/loop.js';
import { asFeeds, partsOf } from '../src/run/progress.js';
import { openTraining } from '../src/run/web/index.js';
import { startingState } from '../src/steps/state.js';
import { checkpointIn, smallRun } from './small-run.js';
import { temporaryFolder } from './temp-folder.js';

const dir = await temporaryFolder();
const pictures = join(dir, 'pictures');
/** Four epochs of three steps, in which the rates fall, and two checkpoints. */
const [STEPS, HALF] = [12, 6];

let recipe: Recipe;
let dataset: Dataset;
let step: Uint8Array;
let whole: string;

const open = (options: { step?: Uint8Array; checkpoint?: Uint8Array; steps?: number } = {}) =>
  openTraining({ step, images: dataset.images, device: 'cpu', threads: 1, ...options });

/** The systems, each by a recipe of digits, and the phases in which they are trained. */
const SYSTEMS: Readonly<Record<string, readonly string[]>> = {
  'gan-mnist': ['adversarial'],
  'dcgan-mnist': ['adversarial'],
  'resnet-mnist': ['adversarial'],
  'lsgan-mnist': ['adversarial'],
  'wgan-gp-mnist': ['adversarial'],
  'cgan-mnist': ['adversarial'],
  'cdcgan-mnist': ['adversarial'],
  'infogan-mnist': ['infogan'],
  'infogan-mnist-supervised': ['infogan'],
  'began-mnist': ['began'],
  'gpn-mnist': ['discriminator', 'generator'],
};

/** What Node's steps make of the first state, one after the other. */
async function trainedBy(gan: ReturnType<typeof ganOf>, recipe: Recipe, data: Dataset) {
  const random = stream(recipe.training.seed, 'initialization');
  let state = startingState(gan.state, recipe.model.initialization, random);
  for (const { phase, data: fed, from, to } of partsOf(gan.phases, data)) {
    const step = await compile(phase.step, phase.inputs, { device: 'cpu', threads: 1 });
    step.load(state);
    for (let k = 0; k < to - from; k++)
      await step.run({ ...fed.feeds(k), ...asFeeds(phase.rates) });
    state = { ...state, ...step.state() } as State;
    await step.dispose();
  }
  return state;
}

/** What a checkpoint says, without what computed it. */
async function said(path: string) {
  const { state, progress } = await readCheckpoint(path);
  return { state, progress: { ...progress, places: {}, dataset: progress.dataset.hash } };
}

/** Writes the bytes of a page's checkpoint to a file. */
async function kept(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, bytes);
  return path;
}

beforeAll(async () => {
  recipe = await smallRun(pictures, STEPS, HALF);
  dataset = await loadDataset(pictures, { height: 16, width: 16, channels: 1 });
  step = stepFile(recipe);
  whole = join(dir, 'whole');
  await train(recipe, { out: whole, device: 'cpu', threads: 1 });
});

it('a training in a page comes to the bytes of one under Node, and measures the same', async () => {
  const training = await open();
  const losses: number[] = [];
  await training.run({ onProgress: ({ metrics }) => losses.push(metrics.generator as number) });
  expect([training.step, training.steps, losses.length]).toEqual([STEPS, STEPS, STEPS]);
  const path = await kept('page.safetensors', await training.checkpoint());
  await training.dispose();
  expect(await said(path)).toEqual(await said(checkpointIn(whole, STEPS)));
  const { progress } = await readCheckpoint(path);
  expect(Object.values(progress.schedule).some(({ rate }) => rate < 2e-4)).toBe(true);
  const log = await readFile(join(whole, 'metrics.jsonl'), 'utf8');
  const logged = log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(losses).toEqual(logged.map((row) => row.loss_generator ?? row.generator));
});

it('a training begun under Node goes on in a page and ends under Node, as if it had stayed', async () => {
  const training = await open({ checkpoint: await readFile(checkpointIn(whole, HALF)) });
  expect(training.step).toBe(HALF);
  await training.run({ steps: 3 });
  const bytes = await training.checkpoint();
  await training.dispose();

  const back = join(dir, 'back');
  await mkdir(join(back, 'checkpoints'), { recursive: true });
  await copyFile(join(whole, 'recipe.yml'), join(back, 'recipe.yml'));
  await writeFile(checkpointIn(back, HALF + 3), bytes);
  await train(recipe, { out: back, device: 'cpu', threads: 1, resume: true });
  expect(await said(checkpointIn(back, STEPS))).toEqual(await said(checkpointIn(whole, STEPS)));
});

it('a signal pauses a training, and the next run goes on from there', async () => {
  const training = await open();
  const control = new AbortController();
  await training.run({
    signal: control.signal,
    onProgress: ({ step }) => {
      if (step >= 2) control.abort();
    },
  });
  expect(training.step).toBeGreaterThanOrEqual(2);
  expect(training.step).toBeLessThan(STEPS);
  const first = training.run();
  await expect(training.run()).rejects.toThrow('running already');
  await first;
  const path = await kept('paused.safetensors', await training.checkpoint());
  await training.dispose();
  expect(await said(path)).toEqual(await said(checkpointIn(whole, STEPS)));
});

it('a checkpoint that is taken while steps run is that of the last call', async () => {
  const training = await open();
  const taken: Promise<Uint8Array>[] = [];
  await training.run({ onProgress: () => taken.push(training.checkpoint()) });
  await training.dispose();
  const again = await open({ checkpoint: (await taken[0]) as Uint8Array });
  await again.run();
  const path = await kept('taken.safetensors', await again.checkpoint());
  await again.dispose();
  expect(await said(path)).toEqual(await said(checkpointIn(whole, STEPS)));
});

describe('the networks that a page exports', () => {
  const plain = (recipe: Recipe): Recipe => {
    const { generator_average: _, average_ramp, ...training } = recipe.training;
    return { ...recipe, training };
  };

  it.each<[string, (recipe: Recipe) => Recipe]>([
    ['averaged weights, whose statistics are measured', (recipe) => recipe],
    ['trained weights, with the statistics of the training', plain],
  ])('compute and say what Node’s do: %s', async (_, change) => {
    const recipe_ = change(recipe);
    const training = await open({ step: stepFile(recipe_) });
    await training.run({ steps: HALF });
    const { progress, state } = await readCheckpoint(
      await kept('networks.safetensors', await training.checkpoint()),
    );
    for (const role of ['generator', 'discriminator'] as const) {
      const mine = await training.network(role);
      const nodes = await exportNetwork({ recipe: recipe_, progress, state }, role);
      const { certificate, ...info } = readModelInfo(mine);
      const { certificate: golden, ...wanted } = nodes.info;
      expect(info).toEqual(wanted);
      expect(certificate?.rms).toBeCloseTo(golden?.rms as number, 5);
      // Node's certificate holds for the page's file.
      const claimed = withModelInfo(mine, nodes.info);
      const model = await loadModel(claimed, { device: 'cpu' });
      expect((await model.verify()).ok, role).toBe(true);
      await model.dispose();
      // No weights among the inputs, and convolutions as deployed networks have them.
      const { inputs, operators } = inspectModel(mine);
      expect(inputs.map(({ name }) => name)).toEqual([wanted.input]);
      expect(Object.keys(operators)).not.toContain('Gather');
    }
    const images = await training.draw({ count: 5, seed: 3 });
    const drawn = await Generator.load(await training.network('generator'), { device: 'cpu' });
    const { data } = await drawn.sample({ count: 5, seed: 3 });
    await drawn.dispose();
    await training.dispose();
    // Pictures on the way measure the statistics of an average by fewer passes.
    const far = Math.max(...data.map((x, i) => Math.abs(x - (images.data[i] as number))));
    expect(far).toBeLessThan(recipe_.training.generator_average ? 0.05 : 1e-5);
  });
});

describe('the file of a step', () => {
  it('says what its inputs are, how they are made, and how the state starts', () => {
    const info = readStepInfo(step);
    const [phase] = info.phases as [StepPhase];
    expect(info.turns).toEqual([{ phase: 0, round: 0, rounds: 1 }]);
    expect(phase.inputs.filter(({ role }) => role !== 'state')).toEqual([
      { name: 'batch/images', role: 'batch', dtype: 'uint8', shape: [4, 16, 16, 1] },
      { name: 'noise/latents', role: 'noise', dtype: 'float32', shape: [4, 8] },
      { name: 'rates/generator', role: 'rates', dtype: 'float32', shape: [] },
      { name: 'rates/discriminator', role: 'rates', dtype: 'float32', shape: [] },
      { name: 'rates/average', role: 'rates', dtype: 'float32', shape: [] },
    ]);
    expect(phase.metrics).toEqual(['discriminator', 'generator']);
    expect(phase.feeds).toMatchObject({
      noise: { latents: { kind: 'uniform', shape: [4, 8], low: -1, high: 1 } },
    });
    const states = phase.inputs.filter(({ role }) => role === 'state');
    expect(states.map(({ name }) => name.slice('state/'.length)).sort()).toEqual(
      Object.keys(info.start ?? {}).sort(),
    );
  });

  it('does not say where the images lie', () => {
    expect(Buffer.from(step).includes(dir)).toBe(false);
    expect(readStepInfo(step).recipe.data.dataset).toBe('pictures');
  });

  it('is written for every method of every bundled network, and not for a detector', async () => {
    const images = Uint8Array.from(stream(0, 'images').below(64 * 784, 256));
    for (const [name, phases] of Object.entries(SYSTEMS)) {
      const recipe = resolveRecipe(name, { batchSize: 4, steps: 1 });
      const { classes, width, height } = recipe.data;
      expect([width, height, classes], name).toEqual([28, 28, undefined]);
      const file = stepFile(recipe, 1 / 8);
      expect(
        readStepInfo(file).phases.map((phase) => phase.name),
        name,
      ).toEqual(phases);
      const labels = Uint8Array.from({ length: 64 }, (_, k) => k % 10);
      const training = await openTraining({
        ...{ step: file, images, labels, classes: [...'0123456789'], device: 'cpu', threads: 1 },
      });
      await training.run();
      expect(training.step, name).toBe(training.steps);
      await training.dispose();
    }
    expect(() => stepFile(resolveRecipe('gpn-mnist-detector'), 1 / 8)).toThrow(
      'gpn-mnist-detector is a detector, which is calibrated with pictures that it has not learnt from',
    );
  });

  it('of a GPN with rounds has the turns, whose steps are those of Node', async () => {
    const first = resolveRecipe('gpn-mnist', { batchSize: 8, steps: 5 });
    const predictive = first.training.predictive as NonNullable<typeof first.training.predictive>;
    const negatives = { ...predictive.negatives, generated: 1 };
    const recipe = checkRecipe({
      ...first,
      training: { ...first.training, predictive: { ...predictive, rounds: 2, negatives } },
    });
    const images = await loadDataset('mnist', recipe.data);
    const file = stepFile(recipe, 1 / 8);
    const { phases, turns } = readStepInfo(file);
    expect(phases.map(({ name }) => name)).toEqual(['discriminator', 'generator', 'discriminator']);
    expect(turns.map(({ phase, round }) => [phase, round])).toEqual([
      [0, 0],
      [1, 0],
      [2, 1],
      [1, 1],
    ]);
    const training = await openTraining({
      step: file,
      images: images.images,
      device: 'cpu',
      threads: 1,
    });
    expect(training.steps).toBe(10);
    await training.run();
    const { state } = await readCheckpoint(
      await kept('gpn.safetensors', await training.checkpoint()),
    );
    await training.dispose();
    expect(state).toEqual(await trainedBy(ganOf(recipe, 1 / 8), recipe, images));
  });
});

describe('a page is told in a sentence', () => {
  const changed = (change: object) =>
    withMetadata(step, STEP_KEY, JSON.stringify({ ...readStepInfo(step), ...change }));
  const checkpoint = () => readFile(checkpointIn(whole, HALF));

  it.each<[string, () => object | Promise<object>, string]>([
    ['of a file of a later version', () => ({ step: changed({ version: 2 }) }), 'later version'],
    [
      'of a file that is broken',
      () => ({ step: changed({ phases: undefined }) }),
      'lacks "phases"',
    ],
    [
      'of a file that is no step',
      async () => ({ step: await readFile(join(whole, 'generator.onnx')) }),
      'is not a training step',
    ],
    [
      'of two pictures',
      () => ({ images: dataset.images.subarray(0, 512) }),
      'has 2 image(s), fewer than one batch of 4',
    ],
    [
      'of half a picture',
      () => ({ images: dataset.images.subarray(0, 100) }),
      'not whole images of 16 × 16 pixels',
    ],
    ['of labels without names', () => ({ labels: new Uint8Array(13) }), 'the names of the classes'],
    [
      'of a label without a class',
      () => ({ labels: new Uint8Array(13).fill(3), classes: ['a'] }),
      'There is a label 3',
    ],
    [
      'of a damaged checkpoint',
      async () => {
        const bytes = await checkpoint();
        bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
        return { checkpoint: bytes };
      },
      'do not match its checksum',
    ],
    [
      'of a checkpoint of other settings',
      async () => ({
        checkpoint: await checkpoint(),
        step: stepFile({ ...recipe, training: { ...recipe.training, seed: 9 } }),
      }),
      'with other settings than the step',
    ],
    [
      'of a checkpoint of other images',
      async () => ({ checkpoint: await checkpoint(), images: dataset.images.slice(256) }),
      'was trained on other images',
    ],
    [
      'of a checkpoint beyond the end',
      async () => ({ checkpoint: await checkpoint(), steps: 2 }),
      'more than the requested 2',
    ],
  ])('%s', async (_, options, sentence) => {
    const opening = openTraining({
      step,
      images: dataset.images,
      device: 'cpu',
      ...(await options()),
    });
    await expect(opening).rejects.toThrow(sentence);
    await expect(opening).rejects.toBeInstanceOf(UserError);
  });

  it('that the losses are not finite, and what was done before stays', async () => {
    const info = readStepInfo(step);
    const [phase] = info.phases as [StepPhase];
    const rates = Object.fromEntries(Object.keys(phase.rates).map((name) => [name, 1e30]));
    const training = await openTraining({
      step: changed({ phases: [{ ...phase, rates }] }),
      images: dataset.images,
      device: 'cpu',
    });
    await expect(training.run()).rejects.toThrow(
      /not finite at step \d+: the training has diverged/,
    );
    const { state } = await readCheckpoint(
      await kept('finite.safetensors', await training.checkpoint()),
    );
    await training.dispose();
    expect(
      Object.values(state).every(({ data }) => (data as Float32Array).every(Number.isFinite)),
    ).toBe(true);
  });
});
