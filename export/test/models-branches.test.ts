/** Graph models that branch on values. */
import { describe, expect, test } from 'vitest';
import { BOOL, compared, INT, number, numbers, zero } from './decisions.js';
import { constant, type Node, node, placeholder, T, type Weight } from './graph-files.js';
import { float32, scratch, wave } from './models-files.js';

const folder = scratch();

describe('a branch on values', () => {
  const feeds = [-1, 1].map((sign) => ({
    x: float32(
      [2, 3],
      wave([2, 3]).map((v) => sign * Math.abs(v)),
    ),
  }));
  const asked = [
    placeholder('x', [2, 3]),
    node('sum', 'Sum', ['x', 'axes'], { T, Tidx: INT, keep_dims: { b: false } }),
    node('above', 'Greater', ['sum', 'zero']),
  ];
  const weights = [zero, numbers('axes', [0, 1])];

  test('with functions for its two ways takes the right one', async () => {
    const way = (name: string, op: string, input: string[]) => ({
      signature: {
        name,
        inputArg: [{ name: 'a', type: 'DT_FLOAT' }],
        outputArg: [{ name: 'b', type: 'DT_FLOAT' }],
      },
      nodeDef: [node('y', op, input)],
      ret: { b: 'y:y:0' },
    });
    const nodes = [
      ...asked,
      node('out', 'StatelessIf', ['above', 'x'], {
        then_branch: { func: { name: 'yes' } },
        else_branch: { func: { name: 'no' } },
        Tin: { list: { type: ['DT_FLOAT'] } },
        Tout: { list: { type: ['DT_FLOAT'] } },
      }),
      node('y', 'Identity', ['out']),
    ];
    const functions = [way('yes', 'AddV2', ['a', 'a']), way('no', 'Neg', ['a'])];
    await compared(folder, { nodes, weights, functions }, feeds);
  });

  test('with switches and merges takes the right way, and so does one within it', async () => {
    const nodes = [
      ...asked,
      node('large', 'Greater', ['sum', 'two']),
      node('switch', 'Switch', ['x', 'above']),
      node('no', 'Neg', ['switch']),
      node('inner_pred', 'Switch', ['large', 'above'], { T: BOOL }),
      node('inner', 'Switch', ['switch:1', 'inner_pred:1']),
      node('small_yes', 'Exp', ['inner']),
      node('large_yes', 'Tanh', ['inner:1']),
      node('yes', 'Merge', ['small_yes', 'large_yes'], { T, N: { i: '2' } }),
      node('both', 'Merge', ['no', 'yes'], { T, N: { i: '2' } }),
      node('y', 'AddV2', ['both', 'x']),
    ];
    const small = {
      x: float32(
        [2, 3],
        wave([2, 3]).map((v) => 0.01 * Math.abs(v)),
      ),
    };
    await compared(folder, { nodes, weights: [...weights, number('two', 2)] }, [...feeds, small]);
  });

  const functionOf = (name: string, nodeDef: Node[], ret: string, type = 'DT_FLOAT') => ({
    signature: {
      name,
      inputArg: [
        { name: 'a', type: 'DT_FLOAT' },
        { name: 'i', type: 'DT_INT32' },
      ],
      outputArg: [{ name: 'b', type }],
    },
    nodeDef,
    ret: { b: ret },
  });
  const branching = (type = 'DT_FLOAT'): Node =>
    node('out', 'StatelessIf', ['above', 'x', 'at'], {
      then_branch: { func: { name: 'yes' } },
      else_branch: { func: { name: 'no' } },
      Tin: { list: { type: ['DT_FLOAT', 'DT_INT32'] } },
      Tout: { list: { type: [type] } },
    });
  /** Whether x > 0 in all, with a number that fits one of the branches alone. */
  const numbered = (whenAbove: number, otherwise: number) =>
    feeds.map(({ x }, i) => ({
      x,
      at: { dtype: 'int32', shape: [1], data: Int32Array.of(i ? whenAbove : otherwise) } as const,
    }));

  test('computes only the branch it takes: the other would look up a place that is not there', async () => {
    const nodes = [
      ...asked,
      placeholder('at', [1], 'DT_INT32'),
      branching(),
      node('y', 'Neg', ['out']),
    ];
    const axis = number('axis', 0, 'int32');
    const functions = [
      functionOf(
        'yes',
        [
          constant('axis', 'DT_INT32'),
          node('row', 'GatherV2', ['a', 'i', 'axis:output:0'], { Tparams: T }),
        ],
        'row:output:0',
      ),
      functionOf(
        'no',
        [
          constant('axis', 'DT_INT32'),
          node('sum', 'Sum', ['a', 'axis:output:0'], { T, Tidx: INT, keep_dims: { b: true } }),
        ],
        'sum:output:0',
      ),
    ];
    const model = { nodes, weights: [...weights, axis], functions };
    expect(await compared(folder, model, numbered(1, 999))).toMatchObject({ If: 1, Gather: 1 });
  });

  test('computes only the branch it takes: the other would divide by zero, in whole numbers', async () => {
    const nodes = [
      ...asked,
      placeholder('at', [1], 'DT_INT32'),
      branching('DT_INT32'),
      node('y', 'Neg', ['out'], { T: INT }),
    ];
    const seven = numbers('seven', [7]);
    const functions = [
      functionOf(
        'yes',
        [constant('seven', 'DT_INT32'), node('q', 'FloorMod', ['seven:output:0', 'i'], { T: INT })],
        'q:z:0',
        'DT_INT32',
      ),
      functionOf('no', [node('q', 'Neg', ['i'], { T: INT })], 'q:y:0', 'DT_INT32'),
    ];
    const model = { nodes, weights: [...weights, seven], functions };
    expect(await compared(folder, model, numbered(3, 0))).toMatchObject({ If: 1, Mod: 1 });
  });

  test('by switches computes the costly branch it takes, at any batch size, and one within it', async () => {
    const product: Weight = {
      name: 'kernel',
      shape: [3, 3],
      dtype: 'float32',
      values: wave([3, 3]),
    };
    const nodes = [
      placeholder('x', [-1, 3]),
      ...asked.slice(1),
      node('large', 'Greater', ['sum', 'two']),
      node('switch', 'Switch', ['x', 'above']),
      node('no', 'MatMul', ['switch', 'kernel']),
      node('inner_pred', 'Switch', ['large', 'above'], { T: BOOL }),
      node('inner', 'Switch', ['switch:1', 'inner_pred:1']),
      node('small_yes', 'MatMul', ['inner', 'kernel']),
      node('small_shape', 'Shape', ['small_yes'], { T, out_type: INT }),
      node('small', 'Fill', ['small_shape', 'two'], { T, index_type: INT }),
      node('small_sum', 'AddV2', ['small', 'small_yes']),
      node('large_yes', 'Softmax', ['inner:1']),
      node('yes', 'Merge', ['small_sum', 'large_yes'], { T, N: { i: '2' } }),
      node('both', 'Merge', ['no', 'yes'], { T, N: { i: '2' } }),
      node('y', 'AddV2', ['both', 'x']),
    ];
    const rows = [1, 5].flatMap((batch) =>
      [-1, 0.01, 3].map((size) => ({
        x: float32(
          [batch, 3],
          wave([batch, 3]).map((v) => size * Math.abs(v)),
        ),
      })),
    );
    const model = { nodes, weights: [...weights, number('two', 2), product] };
    expect(await compared(folder, model, rows)).toMatchObject({ If: 2 });
  });

  test('that would change the shape is refused by name', async () => {
    const nodes = [
      ...asked,
      node('switch', 'Switch', ['x', 'above']),
      node('no', 'Sum', ['switch', 'axes'], { T, Tidx: INT, keep_dims: { b: true } }),
      node('yes', 'Reshape', ['switch:1', 'flat'], { T, Tshape: INT }),
      node('both', 'Merge', ['no', 'yes'], { T, N: { i: '2' } }),
    ];
    const flat = numbers('flat', [4, 4]);
    await expect(compared(folder, { nodes, weights: [...weights, flat] }, feeds)).rejects.toThrow(
      'cannot be exported',
    );
  });
});
