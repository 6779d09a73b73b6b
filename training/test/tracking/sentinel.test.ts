import { describe, expect, test } from 'vitest';
import { checkRecipe } from '../../src/recipe/check.js';
import { recipeHash } from '../../src/recipe/hash.js';
import { resolveRecipe } from '../../src/recipe/load.js';
import { classesDrawn, type Measures } from '../../src/tracking/evaluation.js';
import { actionOn, signsOfCollapse, startWatch, watchOn } from '../../src/tracking/sentinel.js';

const tenth = Array.from({ length: 10 }, () => 0.1);
const real: Measures = { duplicates: 0.01, deviation: 0.2, classes: tenth };
const healthy: Measures = {
  ...{ duplicates: 0, deviation: 0.19, frechet: 12, precision: 0.8, recall: 0.6 },
  classes: tenth,
};
const learnt = { ...startWatch, varied: true, recall: 0.6 };
const alike: Measures = { ...healthy, deviation: 0.001, duplicates: 1, recall: 0 };

describe('signs of collapse', () => {
  test.each<[string, Partial<Measures>, string]>([
    ['one image for all latents', { deviation: 0.01 }, 'hardly differ'],
    ['a few images again and again', { duplicates: 0.7 }, '70 % of the images have a twin'],
    [
      'one class',
      { classes: tenth.map((_, k) => (k === 3 ? 0.91 : 0.01)) },
      '91 % of the images are of the class three',
    ],
    ['variety that was there', { recall: 0.1 }, 'recall has fallen from 0.60 to 0.10'],
  ])('%s', (_, change, sign) => {
    const names = ['zero', 'one', 'two', 'three'];
    const signs = signsOfCollapse({ ...healthy, ...change }, real, learnt, 0, names);
    expect(signs).toEqual([expect.stringContaining(sign)]);
  });

  test.each<[string, Measures, Measures, typeof startWatch]>([
    ['a healthy generator', healthy, real, learnt],
    ['a bad day', { ...healthy, recall: 0.3, deviation: 0.1, duplicates: 0.2 }, real, learnt],
    [
      // What dcgan-mnist draws at first: to the judge, all of it is an eight.
      'fog, before anything is learnt',
      { ...healthy, recall: 0, classes: tenth.map((_, k) => Number(k === 8)) },
      real,
      startWatch,
    ],
    [
      'one class, where the data has no other',
      { ...healthy, classes: tenth.map((_, k) => Number(k === 0)) },
      { ...real, classes: tenth.map((_, k) => Number(k === 0)) },
      learnt,
    ],
    [
      'twins, where the data has them',
      { ...healthy, duplicates: 0.9 },
      { ...real, duplicates: 0.8 },
      learnt,
    ],
    [
      'data without a judge',
      { duplicates: 0, deviation: 0.2 },
      { duplicates: 0, deviation: 0.2 },
      startWatch,
    ],
  ])('none of %s', (_, now, of, watch) => {
    expect(signsOfCollapse(now, of, watch, 0)).toEqual([]);
  });
});

test('a generator that begins with one image for all has an epoch to learn better', () => {
  expect(signsOfCollapse(alike, real, startWatch, 0)).toEqual([]);
  expect(signsOfCollapse(alike, real, startWatch, 1)).toHaveLength(2);
  // Unless its images have differed before.
  expect(signsOfCollapse(alike, real, { ...startWatch, varied: true }, 0)).toHaveLength(2);
  expect(watchOn(undefined, 0, alike, real, []).varied).toBe(false);
  expect(watchOn(startWatch, 10, { ...alike, frechet: 1 }, real, []).best).toBeNull();
  expect(watchOn(startWatch, 20, healthy, real, []).varied).toBe(true);
});

test('the best is the lowest distance of a generator that has not collapsed', () => {
  const untrained = watchOn(undefined, 0, { ...healthy, frechet: 1, recall: 0 }, real, []);
  expect(untrained).toEqual({ ...startWatch, varied: true });
  const first = watchOn(untrained, 100, { ...healthy, frechet: 50, recall: 0.2 }, real, []);
  expect(first).toEqual({ ...untrained, best: { step: 100, frechet: 50 }, recall: 0.2 });
  const second = watchOn(first, 200, { ...healthy, frechet: 60, recall: 0.5 }, real, []);
  expect(second).toEqual({ ...first, recall: 0.5 });
  expect(watchOn(second, 300, { ...healthy, frechet: 1 }, real, ['a sign'])).toEqual(second);
  const { frechet: _, ...unjudged } = healthy;
  expect(watchOn(untrained, 100, unjudged, real, []).best).toBeNull();
  // Without features, by the distance of patches.
  const patched = watchOn(untrained, 100, { ...unjudged, sliced: 40 }, real, []);
  expect(patched.best).toEqual({ step: 100, sliced: 40 });
  expect(watchOn(patched, 200, { ...unjudged, sliced: 41 }, real, []).best).toEqual(patched.best);
});

test('a training goes back at most three times, and only to what is there', () => {
  const best = { step: 100, frechet: 5 };
  expect(actionOn('warn', startWatch)).toEqual({ action: 'warn' });
  expect(actionOn('rollback', { ...startWatch, best, rollbacks: 2 })).toEqual({
    action: 'rollback',
  });
  expect(actionOn('rollback', { ...startWatch, best, rollbacks: 3 })).toMatchObject({
    action: 'stop',
    because: 'it has gone back 3 times before',
  });
  expect(actionOn('rollback', startWatch)).toMatchObject({ action: 'stop' });
});

test('a class counts as drawn from a tenth of its share on, and only those of the data count', () => {
  expect(classesDrawn([0.9, 0.05, 0.04, 0.01], [0.4, 0.4, 0.2, 0])).toBe(3);
  expect(classesDrawn([0.99, 0.01, 0, 0], [0.4, 0.4, 0.2, 0])).toBe(1);
});

describe('the sentinel in a recipe', () => {
  const recipe = resolveRecipe('dcgan-mnist');
  const withOutput = (output: object) =>
    checkRecipe({ ...recipe, output: { ...recipe.output, ...output } });

  test.each([
    [{ on_collapse: 'stop' }, 'output.on_collapse must be left out without evaluate_every'],
    [{ evaluate_samples: 500 }, 'output.evaluate_samples must be left out without evaluate_every'],
    [
      { evaluate_every: 9, on_collapse: 'halt' },
      'output.on_collapse must be warn, stop or rollback',
    ],
    [{ evaluate_every: 9, evaluate_samples: 5 }, 'output.evaluate_samples must be at least 100'],
  ])('%o', (output, error) => {
    expect(() => withOutput(output)).toThrow(error);
  });

  test('may not go back if the networks take turns', () => {
    const gpn = resolveRecipe('gpn-mnist');
    const output = { ...gpn.output, evaluate_every: 100, on_collapse: 'rollback' };
    expect(() => checkRecipe({ ...gpn, output })).toThrow('must be warn or stop with the method');
  });

  test('changes the hash by going back, which decides the outcome, and not by watching', () => {
    const plain = recipeHash(recipe);
    expect(recipeHash(withOutput({ evaluate_every: 9, on_collapse: 'stop' }))).toBe(plain);
    const back = { evaluate_every: 9, on_collapse: 'rollback' };
    expect(recipeHash(withOutput(back))).not.toBe(plain);
    expect(recipeHash(withOutput({ ...back, evaluate_every: 8 }))).not.toBe(
      recipeHash(withOutput(back)),
    );
  });
});
