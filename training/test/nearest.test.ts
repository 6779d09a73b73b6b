import { expect, test } from 'vitest';
import { nearest } from '../src/recipe/nearest.js';

test.each([
  ['batchsize', 'batch_size'],
  ['batchSize', 'batch_size'],
  ['batch-size', 'batch_size'],
  ['bacth_size', 'batch_size'],
  ['epoch', 'epochs'],
  ['sed', 'seed'],
  ['learning_rate', undefined],
  ['x', undefined],
])('nearest to %s is %s', (word, expected) => {
  expect(nearest(word, ['seed', 'batch_size', 'epochs', 'steps'])).toBe(expected);
});
