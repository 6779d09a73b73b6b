import { expect, test } from 'vitest';
import { judge } from '../src/index.js';

test('the judge has 128 features, and 430,202 parameters', () => {
  const { params, inputShape, classes, noise } = judge();
  const count = Object.values(params).reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  // Convolutions without biases, two numbers a channel for each normalisation, two dense layers.
  const convolutions = 9 * 16 + 16 * 16 * 32 + 9 * 32 * 64 + 16 * 64 * 64 + 9 * 64 * 128;
  const norms = 2 * (16 + 32 + 64 + 64 + 128);
  expect(count).toBe(convolutions + norms + (4 * 4 * 128 + 1) * 128 + 129 * 10);
  expect(count).toBe(430_202);
  expect([inputShape, classes]).toEqual([[28, 28, 1], 10]);
  // The dropout comes after the features.
  expect(noise).toEqual({ dropout1: [128] });
});
