import { expect, test } from 'vitest';
import { distance, nearest } from '../src/recipe/nearest.js';

test.each([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3], // the textbook's example
  ['ab', 'ba', 1],
  ['ca', 'abc', 3], // optimal string alignment; the unrestricted distance is 2
])('distance(%j, %j) = %i', (a, b, edits) => {
  expect(distance(a, b)).toBe(edits);
  expect(distance(b, a)).toBe(edits);
});

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
