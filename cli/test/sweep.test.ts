// The results of a sweep.
import { expect, test } from 'vitest';
import { meanOf } from '../src/commands/sweep/results.js';

test('the standard error is that of a mean', () => {
  // The sample's standard deviation of 2, 4, 4, 6 is √(8/3), and the error half of it.
  expect(meanOf([2, 4, 4, 6])).toEqual({ mean: 4, error: Math.sqrt(8 / 3) / 2, count: 4 });
  expect(meanOf([5])).toEqual({ mean: 5, count: 1 });
});
