import { expect, test } from 'vitest';
import type { Recipe } from '../src/recipe/schema.js';
import { stepsAtOnce } from '../src/run/pace.js';
import { ratesAt, stepsToPause } from '../src/run/progress.js';
import { startSchedule } from '../src/run/schedule.js';
import { tooShort } from '../src/run/sentences.js';

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

test('a training on a folder says that its steps cannot suffice', () => {
  const recipe = (dataset: string) =>
    ({ data: { dataset }, training: { batch_size: 64 } }) as unknown as Recipe;
  expect(tooShort(recipe('/emoji'), 1000)).toMatch(
    /^1000 steps show 64,000 images, .* --steps 1563 /,
  );
  expect(tooShort(recipe('/emoji'), 1563)).toBeUndefined();
  expect(tooShort(recipe('mnist'), 10)).toBeUndefined();
});
