import { type Rows, rowsOf } from '../../src/evaluation/metrics/rows.js';

/** Numbers that look random and are the same in every language; golden.py says how. */
export const features = (count: number, size: number, a: number, shift = 0, scale = 1): Rows =>
  rowsOf(
    Float64Array.from({ length: count * size }, (_, i) => {
      const u = (((i * i) % 1_000_003) * a + i * 12_345 + 6_789) % 1_000_003;
      return (u / 1_000_003 - 0.5) * scale + shift;
    }),
    size,
  );
