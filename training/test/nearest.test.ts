import { expect, test } from 'vitest';
import { closestName } from '../src/recipe/closest-name.js';

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
  expect(closestName(word, ['seed', 'batch_size', 'epochs', 'steps'])).toBe(expected);
});
