/** Graph models that loop as long as values say. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { convertModel, inspectModel, verifyModel } from '../src/index.js';
import { BOOL, compared, INT, number, numbers } from './decisions.js';
import { constant, type Node, node, placeholder, T } from './graph-files.js';
import { float32, open, scratch, wave } from './models-files.js';

const folder = scratch();

test('a list of tensors whose sizes differ from round to round is refused by its node', async () => {
  const args = [
    { name: 'x_0', type: 'DT_FLOAT' },
    { name: 'list_0', type: 'DT_VARIANT' },
  ];
  const less = [
    constant('axes', 'DT_INT32'),
    constant('most'),
    node('sum', 'Sum', ['x_0', 'axes:output:0'], { T, Tidx: INT, keep_dims: { b: false } }),
    node('less', 'Less', ['sum:output:0', 'most:output:0']),
  ];
  const functions = [
    {
      signature: { name: 'below', inputArg: args, outputArg: [{ name: 'on', type: 'DT_BOOL' }] },
      nodeDef: less,
      ret: { on: 'less:z:0' },
    },
    {
      signature: {
        name: 'push',
        inputArg: args,
        outputArg: args.map((arg) => ({ ...arg, name: `next_${arg.name}` })),
      },
      nodeDef: [
        constant('most'),
        node('more', 'Mul', ['x_0', 'most:output:0']),
        node('large', 'Greater', ['x_0', 'most:output:0']),
        node('where', 'Where', ['large:z:0'], { T: BOOL }),
        node('longer', 'TensorListPushBack', ['list_0', 'where:index:0'], { element_dtype: INT }),
      ],
      ret: { next_x_0: 'more:z:0', next_list_0: 'longer:output_handle:0' },
    },
  ];
  const nodes = [
    placeholder('x', [4]),
    node('list', 'EmptyTensorList', ['element', 'none'], { element_dtype: INT }),
    node('loop', 'StatelessWhile', ['x', 'list'], {
      cond: { func: { name: 'below' } },
      body: { func: { name: 'push' } },
      T: { list: { type: ['DT_FLOAT', 'DT_VARIANT'] } },
    }),
    node('y', 'TensorListConcat', ['loop:1'], { element_dtype: INT }),
  ];
  const weights = [
    number('most', 20),
    number('none', 0, 'int32'),
    numbers('axes', [0]),
    numbers('element', [-1, 1]),
  ];
  await expect(compared(folder, { nodes, weights, functions }, [])).rejects.toThrow(
    /the node "longer" .*may differ from round to round/s,
  );
});

test('a loop can have the first opset if what it computes can', async () => {
  const path = fileURLToPath(new URL('./models/graph-list-that-grows', import.meta.url));
  const converted = await convertModel(path, { opset: 13 });
  const session = await open(converted);
  const { difference } = await verifyModel(converted, (inputs) => session.run(inputs));
  expect(difference).toBeLessThan(1e-6);
  expect(inspectModel(converted.model.toBytes())).toMatchObject({
    opset: 13,
    operators: { Loop: 1 },
  });
  await session.dispose();
  converted.dispose();
});

describe('a loop whose rounds depend on values', () => {
  /** Rows that are doubled, none to many times, until their sum is above 20. */
  const feeds = [30, 3, 0.01].flatMap((size) =>
    [1, 4].map((batch) => ({
      x: float32(
        [batch, 3],
        wave([batch, 3]).map((v) => size * (0.1 + Math.abs(v))),
      ),
    })),
  );
  const weights = [
    number('most', 20),
    number('two', 2),
    number('none', 0, 'int32'),
    number('one', 1, 'int32'),
    numbers('axes', [0, 1]),
  ];
  const sumOf = (x: string): Node =>
    node('sum', 'Sum', [x, 'axes'], { T, Tidx: INT, keep_dims: { b: false } });

  test('by functions goes round as often as they say', async () => {
    const [x, i, factor] = ['x', 'i', 'factor'].map((name) => ({
      name: `${name}_0`,
      type: name === 'i' ? 'DT_INT32' : 'DT_FLOAT',
    }));
    const inputArg = [x, i, factor];
    const functions = [
      {
        signature: { name: 'below', inputArg, outputArg: [{ name: 'on', type: 'DT_BOOL' }] },
        nodeDef: [
          constant('axes', 'DT_INT32'),
          constant('most'),
          sumOf('x_0'),
          node('less', 'Less', ['sum:output:0', 'most:output:0']),
        ],
        ret: { on: 'less:z:0' },
      },
      {
        signature: {
          name: 'double',
          inputArg,
          outputArg: inputArg.map((arg) => ({ ...arg, name: `${arg?.name}_next` })),
        },
        nodeDef: [
          constant('one', 'DT_INT32'),
          node('more', 'Mul', ['x_0', 'factor_0']),
          node('count', 'AddV2', ['i_0', 'one:output:0'], { T: INT }),
          node('same', 'Identity', ['factor_0']),
        ],
        ret: { x_0_next: 'more:z:0', i_0_next: 'count:z:0', factor_0_next: 'same:output:0' },
      },
    ];
    const nodes = [
      placeholder('x', [-1, 3]),
      node('loop', 'StatelessWhile', ['x', 'none', 'two'], {
        cond: { func: { name: 'below' } },
        body: { func: { name: 'double' } },
        T: { list: { type: ['DT_FLOAT', 'DT_INT32', 'DT_FLOAT'] } },
      }),
      node('y', 'Neg', ['loop']),
      node('rounds', 'Neg', ['loop:1'], { T: INT }),
    ];
    expect(await compared(folder, { nodes, weights, functions }, feeds)).toMatchObject({ Loop: 1 });
  });

  test('by frames goes round as often as they say', async () => {
    const frame = { T, frame_name: { s: 'bG9vcA==' }, is_constant: { b: false } };
    const nodes = [
      placeholder('x', [-1, 3]),
      node('enter', 'Enter', ['x'], frame),
      node('enter_two', 'Enter', ['two'], { ...frame, is_constant: { b: true } }),
      node('merge', 'Merge', ['enter', 'next'], { T, N: { i: '2' } }),
      sumOf('merge'),
      node('less', 'Less', ['sum', 'most']),
      node('go_on', 'LoopCond', ['less'], {}),
      node('switch', 'Switch', ['merge', 'go_on']),
      node('more', 'Mul', ['switch:1', 'enter_two']),
      node('next', 'NextIteration', ['more']),
      node('exit', 'Exit', ['switch']),
      node('y', 'Neg', ['exit']),
    ];
    expect(await compared(folder, { nodes, weights }, feeds)).toMatchObject({ Loop: 1 });
  });
});

test('a loop of TensorFlow 1, over a list, goes round as often as it says', async () => {
  const frame = {
    T,
    frame_name: { s: Buffer.from('loop').toString('base64') },
    is_constant: { b: false },
  };
  const fixed = { ...frame, is_constant: { b: true } };
  const variable = (name: string, first: string, next: string): Node[] => [
    node(`enter_${name}`, 'Enter', [first], frame),
    node(`merge_${name}`, 'Merge', [`enter_${name}`, `next_${name}`], { T, N: { i: '2' } }),
    node(name, 'Switch', [`merge_${name}`, 'go_on']),
    node(`next_${name}`, 'NextIteration', [next]),
  ];
  const list = { element_dtype: T, shape_type: INT };
  const nodes = [
    placeholder('x', [-1, 5, 3]),
    node('by_step', 'Transpose', ['x', 'perm'], { T, Tperm: INT }),
    node('series', 'TensorListFromTensor', ['by_step', 'element'], list),
    node('first', 'ZerosLike', ['start']),
    node('start', 'Sum', ['x', 'middle'], { T, Tidx: INT, keep_dims: { b: false } }),
    node('kept', 'TensorListReserve', ['element', 'steps'], list),
    ...variable('i', 'none', 'i_more'),
    ...variable('state', 'first', 'state_more'),
    ...variable('given', 'series', 'given:1'),
    ...variable('taken', 'kept', 'taken_more'),
    node('enter_half', 'Enter', ['half'], fixed),
    node('less', 'Less', ['merge_i', 'steps'], { T: INT }),
    node('go_on', 'LoopCond', ['less'], {}),
    node('i_more', 'AddV2', ['i:1', 'one'], { T: INT }),
    node('step', 'TensorListGetItem', ['given:1', 'i:1', 'element'], list),
    node('less_state', 'Mul', ['state:1', 'enter_half']),
    node('state_more', 'AddV2', ['less_state', 'step']),
    node('taken_more', 'TensorListSetItem', ['taken:1', 'i:1', 'state_more'], { element_dtype: T }),
    node('exit_taken', 'Exit', ['taken']),
    node('exit_state', 'Exit', ['state']),
    node('states', 'TensorListStack', ['exit_taken', 'element'], {
      element_dtype: T,
      num_elements: { i: '5' },
    }),
    node('y', 'Neg', ['exit_state']),
  ];
  const weights = [
    numbers('perm', [1, 0, 2]),
    numbers('element', [-1, 3]),
    numbers('middle', [1]),
    number('steps', 5, 'int32'),
    number('none', 0, 'int32'),
    number('one', 1, 'int32'),
    number('half', 0.5),
  ];
  const feeds = [1, 4].map((batch) => ({ x: float32([batch, 5, 3]) }));
  await compared(folder, { nodes, weights }, feeds);
});
