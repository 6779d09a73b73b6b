import { describe, expect, it } from 'vitest';
import { FAMILIES } from './cases/index.js';
import { eager, expectClose, run, TOLERANCE, traced } from './run.js';

describe.each(Object.entries(FAMILIES))('a traced graph of %s', (_, cases) => {
  it.each(Object.entries(cases))(
    'with %s computes what TF.js computes',
    async (name, { fn, inputs, oracle, tolerance }) => {
      const results = await run(traced(fn, inputs), inputs);
      const expected = eager(oracle ?? fn, inputs);
      expect(results).toHaveLength(expected.length);
      const limit = /Grad|Backprop/.test(name) ? TOLERANCE.gradient : TOLERANCE.forward;
      results.forEach((r, i) => {
        expectClose(r, expected[i] as never, tolerance ?? limit);
      });
    },
  );
});
