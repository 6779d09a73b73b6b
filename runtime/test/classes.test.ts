import { expect, it } from 'vitest';
import { UserError } from '../src/errors.js';
import { classOf, type ModelInfo } from '../src/node/index.js';
import { GENERATOR } from './tiny.js';

const named = (...names: string[]): ModelInfo => ({
  ...GENERATOR,
  name: 'g',
  condition: { input: 'labels', classes: names.length, names },
});

it('a class is given by its name, in any spelling of it, or by its number', () => {
  const info = named('cat', 'café', 'Dog');
  expect(
    ['cat', 'cafe\u0301', 'CAFÉ', 'dog', '1', '#2'].map((text) => classOf(info, text)),
  ).toEqual([0, 1, 1, 2, 1, 2]);
  expect(classOf(named('0', '1', '2'), '2')).toBe(2);
  expect(() => classOf(info, '3')).toThrow(
    new UserError('g has no class 3: its classes are 0 to 2 (cat, café, Dog).'),
  );
});

it('a number that is the name of one class and the number of another is refused', () => {
  const info = named('1', '2', '3');
  expect(() => classOf(info, '2')).toThrow(
    new UserError('2 is the name of one class of g and the number of another: write #1 or #2.'),
  );
  expect(['#1', '#2', '0', '3'].map((text) => classOf(info, text))).toEqual([1, 2, 0, 2]);
});
