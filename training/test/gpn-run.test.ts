/** A GPN from its recipe to files: its stages, and the judge of fragments that comes of them. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Discriminator, openSession, readModelInfo, stream, UserError } from '@gpn/runtime';
import { beforeAll, expect, it } from 'vitest';
import { resolveRecipe } from '../src/recipe/load.js';
import { train } from '../src/run/loop.js';
import type { TrainEvent } from '../src/run/types.js';
import { temporaryFolder } from './temp-folder.js';

const folder = await temporaryFolder();
const recipe = resolveRecipe('gpn-mnist', { steps: 3, batchSize: 8 });
const events: TrainEvent[] = [];
const run = (name: string, stage?: 'generator' | 'discriminator') =>
  train(recipe, {
    out: join(folder, name),
    device: 'cpu',
    threads: 1,
    ...(stage && { stage }),
    on: (event) => events.push(event),
  });
const missing = (file: string) =>
  access(join(folder, file)).then(
    () => false,
    () => true,
  );
const bytesOf = (file: string) => readFile(join(folder, file));

beforeAll(() => run('whole'));

it('GPN trains in two stages what it trains in one, byte by byte', async () => {
  const first = await run('staged', 'discriminator');
  expect(first).toMatchObject({ type: 'stage', step: 3, steps: 6 });
  expect(await missing('staged/discriminator.onnx')).toBe(false);
  expect(await missing('staged/generator.onnx')).toBe(true);
  const second = await run('staged', 'generator');
  expect(second).toMatchObject({ type: 'done', step: 6, steps: 6 });
  const last = 'checkpoints/step-000006.safetensors';
  expect(await bytesOf(`staged/${last}`)).toEqual(await bytesOf(`whole/${last}`));
});

it('GPN refuses a stage that is over, or not yet due, or not there', async () => {
  await expect(run('whole', 'discriminator')).rejects.toThrow(UserError);
  await expect(run('new', 'generator')).rejects.toThrow(
    `${join(folder, 'new')} has no trained discriminator: start with --stage discriminator.`,
  );
  const gan = resolveRecipe('dcgan-mnist', { steps: 1 });
  await expect(
    train(gan, { out: join(folder, 'gan'), device: 'cpu', stage: 'discriminator' }),
  ).rejects.toThrow('Both networks of this recipe learn together: leave --stage out.');
});

it('GPN does not resume with other numbers of steps, which would move the end of a stage', async () => {
  const longer = resolveRecipe('gpn-mnist', { steps: 4, batchSize: 8 });
  await expect(
    train(longer, { out: join(folder, 'whole'), device: 'cpu', resume: true }),
  ).rejects.toThrow('none can change on --resume, not even its length');
});

it('GPN measures the discriminator on held-out fragments of every kind, and says so in its file', async () => {
  const { quality = [] } = readModelInfo(await bytesOf('whole/discriminator.onnx'));
  expect(quality.map(({ metric }) => metric)).toEqual(
    ['real', 'noise', 'blur', 'mismatch', 'gaussian'].map((kind) => `held-out accuracy, ${kind}`),
  );
  for (const { value } of quality) {
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(1);
  }
  expect(events.find(({ type }) => type === 'quality')).toMatchObject({ step: 3, quality });
});

it.each([
  ['gpn-mnist', { internal: 2, frame: 1 }],
  ['gpn-mnist-large', { internal: 20, frame: 2 }],
] as const)(
  'exports the judge of %s for images of any size: a map is its scores',
  async (name, size) => {
    const out = join(folder, `judge-${name}`);
    const small = resolveRecipe(name, { steps: 2, batchSize: 4 });
    await train(
      { ...small, training: { ...small.training, predictive: { ...settings(small), rounds: 1 } } },
      { out, device: 'cpu', threads: 1, stage: 'discriminator' },
    );
    const bytes = await readFile(join(out, 'discriminator.onnx'));
    const side = size.internal + 2 * size.frame;
    expect(readModelInfo(bytes)).toMatchObject({
      scores: 'logit',
      fragment: size,
      image: { height: side, width: side, channels: 1, range: [0, 255 / 256] },
    });
    const session = await openSession(bytes, { device: 'cpu' });
    expect(session.inputs[0]?.shape).toEqual(['N', 'H', 'W', 1]);
    await session.dispose();

    const judge = await Discriminator.load(bytes, { device: 'cpu' });
    const picture = { width: 30, height: 29, data: stream(1).uniform(870, 0, 255 / 256) };
    const map = await judge.scoreMap(picture);
    expect([map.rows, map.columns]).toEqual([29 - size.internal + 1, 30 - size.internal + 1]);
    const places = [
      [0, 0],
      [3, 5],
      [map.rows - 1, map.columns - 1],
    ] as const;
    const rectangles = places.map(([row, column]) => ({
      ...{ x: column - size.frame, y: row - size.frame },
      ...{ width: side, height: side },
    }));
    const alone = await judge.scoreFragments(picture, rectangles);
    for (const [k, [row, column]] of places.entries()) {
      expect(map.values[row * map.columns + column]).toBeCloseTo(alone.values[k] as number, 4);
    }
    await judge.dispose();
  },
);

it('a dense form of stride 4 scores the windows of any stride as one by one, across tiles', async () => {
  const out = join(folder, 'judge-strided');
  const fragment = { internal: 8, frame: 7, stride: 4 };
  const small = resolveRecipe('gpn-mnist-large', { steps: 2, batchSize: 4 });
  const { model, training } = small;
  const predictive = { ...settings(small), region: undefined, rounds: 1 };
  await train(
    { ...small, model: { ...model, fragment }, training: { ...training, predictive } },
    { out, device: 'cpu', threads: 1, stage: 'discriminator' },
  );
  const judge = await Discriminator.load(join(out, 'discriminator.onnx'), { device: 'cpu' });
  expect(judge.info.fragment).toEqual(fragment);
  const check = async (width: number, height: number, stride?: number) => {
    const picture = { width, height, data: stream(1).uniform(width * height, 0, 255 / 256) };
    const map = await judge.scoreMap(picture, stride ? { stride } : {});
    expect(map.stride).toBe(stride ?? 4);
    const places = (side: number) => Math.floor((side - 8) / map.stride) + 1;
    expect([map.rows, map.columns]).toEqual([places(height), places(width)]);
    const rectangles = Array.from(map.values, (_, k) => ({
      x: (k % map.columns) * map.stride - 7,
      y: Math.floor(k / map.columns) * map.stride - 7,
      ...{ width: 22, height: 22 },
    }));
    const { values } = await judge.scoreFragments(picture, rectangles);
    for (const [k, value] of values.entries()) expect(map.values[k]).toBeCloseTo(value, 4);
  };
  await check(1070, 13); // more columns than a tile has
  for (const stride of [1, 2, 3, 4, 6, 8]) await check(31, 26, stride);
  await judge.dispose();
});

type Recipe = typeof recipe;
const settings = ({ training }: Recipe) =>
  training.predictive as NonNullable<Recipe['training']['predictive']>;
