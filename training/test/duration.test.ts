import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { resolveRecipe } from '../src/recipe/load.js';
import { lasting } from '../src/run/duration.js';
import { train } from '../src/run/loop.js';
import { tooShort } from '../src/run/sentences.js';
import type { TrainEvent } from '../src/run/types.js';
import { smallRun } from './small-run.js';
import { temporaryFolder } from './temp-folder.js';

const folder = await temporaryFolder();
const recipe = resolveRecipe('gan-zeros', { steps: 2 });
const options = { out: join(folder, 'run'), device: 'cpu', threads: 1 } as const;
const notes: string[] = [];

beforeAll(() => train(recipe, options));

test('a number of minutes becomes the number of steps that the note says', async () => {
  const timed = await lasting(resolveRecipe('gan-zeros', { epochs: 1 }), 3, {
    ...options,
    on: (event) => event.type === 'note' && notes.push(event.text),
  });
  const [, ms, steps] = /^A step takes ([\d.]+) ms here: (\d+) steps/.exec(notes[0] ?? '') ?? [];
  expect(timed.training).toMatchObject({ epochs: undefined, steps: Number(steps) });
  // 95 % of three minutes, up to the three digits to which the note gives the duration of a step.
  expect((Number(steps) * Number(ms)) / (0.95 * 180_000)).toBeCloseTo(1, 1.5);
});

test('minutes are not filled with steps after which few pictures are known by heart', async () => {
  const few = await smallRun(join(folder, 'pictures'), 2, 2);
  const said: string[] = [];
  const on = (event: TrainEvent) => event.type === 'note' && said.push(event.text);
  const { training } = await lasting(few, 60, { ...options, on });
  expect(training.steps).toBe((120 * 13) / 4);
  expect(said[1]).toMatch(/^\d+ steps would fit, but 390 are taken: .* 13 pictures by heart/);
});

test('a run that is continued keeps the steps that it began with', async () => {
  const continued = await lasting(recipe, 3, { ...options, resume: true });
  expect(continued.training.steps).toBe(2);
});

test('networks that take turns have no number of steps for a time', async () => {
  const gpn = resolveRecipe('gpn-mnist', { steps: 1 });
  await expect(lasting(gpn, 1, options)).rejects.toThrow(
    'The networks of gpn-mnist take turns, so that minutes do not determine its steps',
  );
});

test('a detector learns alone, so that it has', async () => {
  const timed = await lasting(resolveRecipe('gpn-mnist-detector', { steps: 1 }), 1, options);
  expect(timed.training.steps).toBeGreaterThan(1);
});

test('pictures take shape in the training of a generator, not in that of a detector', () => {
  const generator = resolveRecipe('resnet-fashion');
  const own = { ...generator, data: { ...generator.data, dataset: 'pictures' } };
  expect(tooShort(own, 10)).toContain('enough for a trial only');
  expect(tooShort(resolveRecipe('texture-detector'), 10)).toBeUndefined();
});
