// Searches by Optuna: what it is asked and told, and what is resumed. test/search.test.ts runs it.
import type { Search } from '@gpn/training';
import { expect, test } from 'vitest';
import { createBoard } from '../src/commands/sweep/board.js';
import { bestOf, type Outcome, type Results } from '../src/commands/sweep/results.js';
import {
  distributionOf,
  problemOf,
  samplerOf,
  type Trial,
} from '../src/commands/sweep/search/optuna.js';
import { joinedSearches } from '../src/commands/sweep/search/results.js';
import { lacking, leftOf, valuesOf } from '../src/commands/sweep/search/trials.js';

test('distributions are those of optuna.distributions', () => {
  // Made by optuna.distributions.distribution_to_json of Optuna 5.0.0.
  const range = { low: 1, high: 8, log: false };
  expect(distributionOf({ type: 'float', ...range, log: true })).toEqual({
    name: 'FloatDistribution',
    attributes: { step: null, low: 1, high: 8, log: true },
  });
  expect(distributionOf({ type: 'float', ...range, step: 0.5 })).toEqual({
    name: 'FloatDistribution',
    attributes: { step: 0.5, low: 1, high: 8, log: false },
  });
  expect(distributionOf({ type: 'int', ...range })).toEqual({
    name: 'IntDistribution',
    attributes: { log: false, step: 1, low: 1, high: 8 },
  });
  expect(distributionOf({ type: 'categorical', choices: ['hinge', null, 2] })).toEqual({
    name: 'CategoricalDistribution',
    attributes: { choices: ['hinge', null, 2] },
  });
});

test('no two trials are drawn with the same seed', () => {
  const search: Search = {
    trials: 9,
    directions: { frechet: 'minimize' },
    params: { 'training.loss': { type: 'categorical', choices: ['hinge'] } },
    sampler: 'TPESampler',
    sampler_kwargs: { seed: 40, multivariate: true },
  };
  const kwargs = (before: number) => JSON.parse(samplerOf(search, before)[3] as string);
  expect(kwargs(0)).toEqual({ seed: 40, multivariate: true });
  expect(kwargs(3).seed).toBe(43);
});

test('a trial that was asked and not told is trained again; one of another machine is left to it', () => {
  const trial = (number: number, state: Trial['state']): Trial => ({ number, state, params: {} });
  const all = [trial(0, 'COMPLETE'), trial(1, 'RUNNING'), trial(2, 'FAIL'), trial(3, 'RUNNING')];
  const known = new Map([[3, { number: 3, params: {} }]]);
  expect(leftOf(all, known, new Set(), true)?.number).toBe(1);
  expect(leftOf(all, known, new Set([1]), true)?.number).toBe(3);
  expect(leftOf(all, known, new Set(), false)?.number).toBe(3);
  expect(leftOf(all, known, new Set([3]), false)).toBe(undefined);
});

const outcome = (name: string, scores: Record<string, number | null>): Outcome => ({
  name,
  key: name,
  scores,
});

test('a trial is told the means over its seeds, and failed if one of them failed', () => {
  const both = { sliced: 'minimize', recall: 'maximize' } as const;
  const runs = [
    outcome('a', { sliced: 4, recall: 0.5 }),
    outcome('b', { sliced: 6, recall: 0.75 }),
  ];
  expect(valuesOf(both, runs)).toEqual([5, 0.625]);
  const failed = { name: 'c', key: 'c', failed: 'It collapsed.' };
  expect(valuesOf(both, [...runs, failed])).toBe(undefined);
});

test('a measure that is infinite fails its run; one that does not exist ends the search', () => {
  const { directions } = { directions: { sliced: 'minimize' } as const };
  expect(lacking(directions, outcome('a', { sliced: 4 }))).toBe(undefined);
  expect(lacking(directions, outcome('a', { sliced: null }))).toBe(
    'The sliced Wasserstein distance × 1000 is infinite or not a number.',
  );
  expect(() => lacking(directions, outcome('a', { frechet: 4 }))).toThrow(
    'search.directions: the evaluation of a has no sliced; it has frechet.',
  );
});

test('the best are those that no other trial surpasses', () => {
  const mean = (setting: string, sliced: number, recall: number, failed = 0) => ({
    setting,
    seeds: 1,
    failed,
    scores: { sliced: { mean: sliced, count: 1 }, recall: { mean: recall, count: 1 } },
  });
  const means = [
    mean('a', 1, 0.1),
    mean('b', 2, 0.9),
    mean('c', 3, 0.8), // behind b
    mean('d', 0.5, 0.95, 1), // one of its seeds failed
  ];
  expect(bestOf({ sliced: 'minimize', recall: 'maximize' }, means)).toEqual(['a', 'b']);
  expect(bestOf({ recall: 'maximize' }, means)).toEqual(['b']);
  expect(bestOf({ sliced: 'minimize' }, means)).toEqual(['a']);
});

test.each([
  [
    'sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked',
    'is locked by',
  ],
  ["ModuleNotFoundError: No module named 'redis'", 'needs a Python package beside Optuna, redis'],
  ["[E] 'ask' is not an optuna command. see 'optuna --help'", 'is no storage that Optuna knows'],
  ['Traceback\n  x\nTypeError: f() got an argument\n', 'Optuna refused'],
])('an error of Optuna becomes a sentence without a password: %s', (stderr, sentence) => {
  const text = problemOf('postgresql://me:secret@db/trials', stderr);
  expect(text).toContain(sentence);
  expect(text).toContain('postgresql://me:***@db/trials');
});

const search = {
  directions: { sliced: 'minimize' },
  params: {},
  sampler: 'TPESampler',
  sampler_kwargs: {},
  key: 'k',
} as const;
const partOf = (...numbers: number[]): Results => ({
  version: 1,
  recipe: 'r',
  search,
  plan: numbers.map((k) => ({
    name: `trial-${k}-seed0`,
    setting: `trial-${k}`,
    seed: 0,
    changes: {},
    key: '',
  })),
  rows: numbers.map((k) => outcome(`trial-${k}-seed0`, { sliced: Math.abs(k - 9) })),
  means: [],
});

test('machines of one search are joined in the order of its trials', () => {
  const { plan, best } = joinedSearches(['here', 'there'], [partOf(0, 9), partOf(1, 10)]);
  expect(plan.map(({ setting }) => setting)).toEqual(['trial-0', 'trial-1', 'trial-9', 'trial-10']);
  expect(best).toEqual(['trial-9']);
  expect(() => joinedSearches(['here', 'there'], [partOf(0), partOf(0)])).toThrow(
    'trial-0-seed0 is there twice, in here and in there',
  );
  const other = { ...partOf(1), search: { ...search, key: 'other' } };
  expect(() => joinedSearches(['here', 'there'], [partOf(0), other])).toThrow(
    'here and there are not of one search',
  );
});

test('a log has a line about a run at its start and every half minute, and its end', () => {
  const lines: string[] = [];
  const stream = { isTTY: false, write: (text: string) => lines.push(text) };
  let now = 0;
  const board = createBoard(
    stream as unknown as NodeJS.WriteStream,
    { version: 1, recipe: 'r', plan: [] },
    { total: 2, before: [], jobs: 1 },
    () => now,
  );
  for (; now < 70; now += 5) board.say('a', `step ${now}`);
  board.ended({ name: 'a', key: 'a', failed: 'It collapsed.' });
  board.stop();
  expect(lines.map((line) => line.trim())).toEqual([
    '▸ a · step 0',
    '▸ a · step 30',
    '▸ a · step 60',
    'a failed: It collapsed. (1 of 2 runs, ETA 1:10)',
  ]);
});
