import { describe, expect, it } from 'vitest';
import { Builder } from '../src/graph/builder.js';
import type { Graph } from '../src/graph/graph.js';
import type { Attrs } from '../src/graph/value.js';

type Shape = readonly number[];

interface Wrong {
  readonly op: string;
  /** Shapes of tensors that are inputs of the graph; integers in braces are constants. */
  readonly inputs: readonly (Shape | { readonly integers: Shape })[];
  readonly attrs?: Attrs;
  readonly recorded: Shape;
  readonly right: Shape;
}

/** A graph of one node, whose result is recorded with the given shape. */
function graphOf({ op, inputs, attrs = {} }: Wrong, recorded: Shape): Graph {
  const b = new Builder();
  const values = inputs.map((input, i) =>
    'integers' in input ? b.ints(input.integers) : b.graph.input(`x${i}`, input, 'float32'),
  );
  const [result] = b.op(op, values, attrs, { shape: recorded, dtype: 'float32' });
  if (result) b.graph.output('y', result);
  return b.graph;
}

/** One wrong shape of each family of rules. */
const WRONG: readonly Wrong[] = [
  { op: 'Relu', inputs: [[2, 3]], recorded: [3, 2], right: [2, 3] },
  { op: 'Add', inputs: [[2, 1], [3]], recorded: [2, 1], right: [2, 3] },
  { op: 'Where', inputs: [[2, 1], [3], []], recorded: [3], right: [2, 3] },
  { op: 'Reshape', inputs: [[2, 6], { integers: [3, -1] }], recorded: [4, 3], right: [3, 4] },
  { op: 'Transpose', inputs: [[2, 3]], attrs: { perm: [1, 0] }, recorded: [2, 3], right: [3, 2] },
  {
    op: 'Concat',
    inputs: [
      [2, 3],
      [2, 4],
    ],
    attrs: { axis: 1 },
    recorded: [2, 6],
    right: [2, 7],
  },
  {
    op: 'Slice',
    inputs: [[9], { integers: [8] }, { integers: [-10] }, { integers: [0] }, { integers: [-2] }],
    recorded: [4],
    right: [5],
  },
  { op: 'Pad', inputs: [[4], { integers: [1, 2] }], recorded: [6], right: [7] },
  {
    op: 'Gather',
    inputs: [
      [5, 3],
      [2, 2],
    ],
    attrs: { axis: 0 },
    recorded: [2, 3],
    right: [2, 2, 3],
  },
  {
    op: 'GatherND',
    inputs: [
      [5, 3],
      [4, 1],
    ],
    recorded: [4],
    right: [4, 3],
  },
  {
    op: 'ScatterND',
    inputs: [
      [5, 3],
      [4, 1],
      [4, 3],
    ],
    recorded: [4, 3],
    right: [5, 3],
  },
  {
    op: 'ReduceSum',
    inputs: [[2, 3], { integers: [1] }],
    attrs: { keepdims: 0 },
    recorded: [2, 1],
    right: [2],
  },
  { op: 'ArgMax', inputs: [[2, 3]], attrs: { axis: 0, keepdims: 0 }, recorded: [2], right: [3] },
  { op: 'TopK', inputs: [[2, 5], { integers: [3] }], recorded: [2, 5], right: [2, 3] },
  {
    op: 'MatMul',
    inputs: [
      [7, 2, 3],
      [3, 4],
    ],
    recorded: [2, 4],
    right: [7, 2, 4],
  },
  {
    op: 'Gemm',
    inputs: [
      [2, 3],
      [4, 3],
    ],
    attrs: { transB: 1 },
    recorded: [2, 3],
    right: [2, 4],
  },
  {
    op: 'Einsum',
    inputs: [
      [2, 3],
      [3, 4],
    ],
    attrs: { equation: 'ij,jk->ki' },
    recorded: [2, 4],
    right: [4, 2],
  },
  {
    op: 'Conv',
    inputs: [
      [2, 3, 8, 8],
      [5, 3, 3, 3],
    ],
    attrs: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    recorded: [2, 5, 8, 8],
    right: [2, 5, 4, 4],
  },
  {
    op: 'ConvTranspose',
    inputs: [
      [2, 3, 4, 4],
      [3, 5, 3, 3],
    ],
    attrs: { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
    recorded: [2, 5, 7, 7],
    right: [2, 5, 8, 8],
  },
  {
    op: 'MaxPool',
    inputs: [[1, 2, 6, 6]],
    attrs: { kernel_shape: [2, 2], strides: [2, 2] },
    recorded: [1, 2, 6, 6],
    right: [1, 2, 3, 3],
  },
  {
    op: 'Col2Im',
    inputs: [[1, 8, 9], { integers: [4, 4] }, { integers: [2, 2] }],
    recorded: [1, 8, 4, 4],
    right: [1, 2, 4, 4],
  },
];

describe('Graph.verify', () => {
  it.each(WRONG)('refuses a result of $op that is recorded as $recorded', (wrong) => {
    const { op, recorded, right } = wrong;
    expect(() => graphOf(wrong, recorded).verify()).toThrow(
      new RegExp(`^${op} was recorded with a result of shape \\[${recorded}\\].*\\[${right}\\]$`),
    );
    expect(() => graphOf(wrong, right).verify()).not.toThrow();
  });

  it('names an operator that has no shape rule', () => {
    const graph = graphOf({ op: 'NoSuchOp', inputs: [[2]], recorded: [2], right: [2] }, [2]);
    expect(() => graph.verify()).toThrow('the operator NoSuchOp has no shape rule');
  });

  it('refuses operands that do not fit together, with both shapes', () => {
    const graph = graphOf(
      {
        op: 'MatMul',
        inputs: [
          [2, 3],
          [4, 5],
        ],
        recorded: [],
        right: [],
      },
      [2, 5],
    );
    expect(() => graph.verify()).toThrow('MatMul cannot take inputs of the shapes [2,3], [4,5]');
  });

  it('refuses a shape that depends on values known only at run time', () => {
    const b = new Builder();
    const [x, shape] = [b.graph.input('x', [6], 'float32'), b.graph.input('shape', [2], 'int64')];
    const [y] = b.op('Reshape', [x, shape], {}, { shape: [2, 3], dtype: 'float32' });
    if (y) b.graph.output('y', y);
    expect(() => b.graph.verify()).toThrow(/Reshape.*known only at run time/);
  });
});
