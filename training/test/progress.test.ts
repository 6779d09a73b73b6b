import { expect, test } from 'vitest';
import type { Dataset } from '../src/data/types.js';
import { ganOf } from '../src/recipe/gan.js';
import { resolveRecipe } from '../src/recipe/load.js';
import type { Recipe } from '../src/recipe/schema.js';
import { mapRecord } from '../src/records.js';
import { stepsAtOnce } from '../src/run/pace.js';
import { partsOf, ratesAt, stepsToPause } from '../src/run/progress.js';
import { cosine, startSchedule } from '../src/run/schedule.js';
import { tooLong, tooShort } from '../src/run/sentences.js';

test('a call of several steps ends where something else is due', () => {
  const output = { samples_every: 50, checkpoint_every: 70, evaluate_every: 120 };
  // A phase from step 10 on, of epochs of 33 steps, in a training that ends within it.
  const part = { from: 10, to: 400, data: { stepsPerEpoch: 33 } };
  const due = (step: number) =>
    [50, 70, 120].some((every) => step % every === 0) || (step - 10) % 33 === 0 || step === 290;
  const ends: number[] = [];
  for (let step = 10; step < 290; ) {
    step += stepsToPause({ step }, part, { output } as never, 290);
    ends.push(step);
  }
  expect(ends).toEqual(Array.from({ length: 280 }, (_, k) => 11 + k).filter(due));
});

test('a phase without epochs pauses for the rest', () => {
  const output = { samples_every: 500, checkpoint_every: 1000 };
  const part = { from: 0, to: 2000, data: { stepsPerEpoch: Number.POSITIVE_INFINITY } };
  expect(stepsToPause({ step: 499 }, part, { output } as never, 2000)).toBe(1);
  expect(stepsToPause({ step: 500 }, part, { output } as never, 2000)).toBe(500);
});

test('a call takes half a second, with at least one step and at most 32', () => {
  expect([0, 0.1, 3, 20, 1000].map(stepsAtOnce)).toEqual([1, 1, 1, 10, 32]);
});

test('a cosine moves all rates that are inputs of the step, by the step alone', () => {
  const phase = { inputs: { state: {}, rates: { generator: {}, r1: {}, beta2: {} } } };
  const training = {
    r1: 0.05,
    optimizer: { type: 'adam', beta2: 0.9 },
    schedule: { type: 'cosine', factor: 0.25, penalty_factor: 0.1, beta2: 0.99 },
  };
  // The learning rate was halved after a rollback.
  const schedule = { generator: startSchedule(1e-4), discriminator: startSchedule(1) };
  const at = (from: number, count: number) =>
    ratesAt({ schedule }, from, count, { phase, from: 0, to: 100 }, { training } as never);
  const [start] = at(0, 1);
  expect(start).toEqual({ generator: 1e-4, r1: 0.05, beta2: 0.9 });
  const [end] = at(100, 1);
  expect(end).toEqual({ generator: 0.25e-4, r1: 0.05 * 0.1, beta2: 0.99 });
  expect(at(48, 4)[2]?.beta2).toBeCloseTo(0.945, 12);
  expect([...at(0, 30), ...at(30, 70)]).toEqual(at(0, 100));
});

test('a cosine goes on from round to round', () => {
  const dataset: Dataset = {
    ...{ name: 'black', hash: '', count: 64, height: 28, width: 28, channels: 1 },
    images: new Uint8Array(64 * 784),
  };
  const recipe = resolveRecipe('gpn-mnist-large', { steps: 40 });
  const training = {
    ...recipe.training,
    predictive: { ...recipe.training.predictive, rounds: 8 },
    schedule: { type: 'cosine', factor: 0.05 },
  };
  const rounds = partsOf(ganOf({ ...recipe, training } as Recipe).phases, dataset);
  expect(rounds.map(({ phase, from, to }) => [phase.name, to - from])).toEqual(
    Array.from({ length: 16 }, (_, k) => [k % 2 ? 'generator' : 'discriminator', 5]),
  );
  const rates = rounds.flatMap((part) => {
    const schedule = mapRecord(part.phase.rates, startSchedule);
    const { phase, from, to } = part;
    return ratesAt({ schedule }, 0, to - from, part, { training } as Recipe).map((rate) => ({
      [phase.name]: Object.values(rate)[0] as number,
    }));
  });
  for (const [name, start] of [
    ['discriminator', 2e-4],
    ['generator', 5e-4],
  ] as const) {
    const taken = rates.flatMap((rate) => (name in rate ? [rate[name] as number] : []));
    expect(taken).toEqual(Array.from({ length: 40 }, (_, k) => cosine(k, 40, start, start / 20)));
  }
});

test('a training on few pictures says that they will be known by heart', () => {
  const recipe = (dataset: string, more = {}) =>
    ({ data: { dataset }, training: { batch_size: 64, ...more } }) as unknown as Recipe;
  expect(tooLong(recipe('/emoji'), 20_000, 3786)).toMatch(
    /^20000 steps show each of 3,786 pictures 338 times: .* Give --steps 7099, or set it\.$/,
  );
  expect(tooLong(recipe('/emoji'), 7099, 3786)).toBeUndefined();
  expect(tooLong(recipe('mnist'), 20_000, 3786)).toBeUndefined();
  expect(tooLong(recipe('/emoji', { augmentation: ['color'] }), 20_000, 3786)).toBeUndefined();
  expect(tooLong(recipe('/emoji', { method: 'predictive' }), 20_000, 3786)).toBeUndefined();
});

test('a training on a folder says that its steps cannot suffice', () => {
  const recipe = (dataset: string) =>
    ({ data: { dataset }, training: { batch_size: 64 } }) as unknown as Recipe;
  expect(tooShort(recipe('/emoji'), 1000)).toMatch(
    /^1000 steps show 64,000 images, .* --steps 1563 /,
  );
  expect(tooShort(recipe('/emoji'), 1563)).toBeUndefined();
  expect(tooShort(recipe('mnist'), 10)).toBeUndefined();
});
