import { expect } from 'vitest';
import { UserError } from '../src/errors.js';

/** The message of the UserError that `work` ends with: one sentence. */
export const sentence = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as Error).message).toMatch(/^[^\n]+\.$/);
  return (error as Error).message;
};

export const expectClose = (
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  within = 1e-5,
) => {
  expect(actual.length).toBe(expected.length);
  const worst = Math.max(...Array.from(actual, (v, i) => Math.abs(v - (expected[i] as number))));
  expect(worst).toBeLessThan(within);
};
