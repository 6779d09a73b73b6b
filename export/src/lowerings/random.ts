import type { Value } from '../graph/graph.js';
import { lower, type Table } from './table.js';

interface Attrs {
  readonly numSamples: number;
  readonly seed: number;
  readonly normalized: boolean;
}

export const RANDOM: Table = {
  /** Draws anew at each run: how many of the cumulated probabilities a uniform number exceeds. */
  Multinomial: lower<{ logits: Value }, Attrs>(
    ({ logits }, { numSamples, seed, normalized }, b) => {
      const probabilities = normalized ? logits : b.map('Softmax', [logits], { axis: -1 });
      const [rows, n] = probabilities.shape as [number, number];
      const cumulated = b.CumSum(b.Slice(probabilities, [0, 0], [rows, n - 1]), 1);
      const shape = [rows, numSamples, 1];
      const out = { shape, dtype: 'float32' } as const;
      const [uniform] = b.op('RandomUniform', [], { shape, seed: { float: seed } }, out) as [Value];
      const passed = b.LessOrEqual(b.Reshape(cumulated, [rows, 1, n - 1]), uniform);
      return b.reduce('ReduceSum', b.Cast(passed, 'int32'), [2]);
    },
  ),
};
