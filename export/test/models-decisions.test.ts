/** Graph models whose results depend on decisions: each is run on values that decide differently. */
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { convertModel, type HostTensors, inspectModel } from '../src/index.js';
import {
  constant,
  graphModel,
  type Node,
  node,
  placeholder,
  T,
  type Weight,
} from './graph-files.js';
import { float32, open, scratch, wave, writeModel } from './models-files.js';
import { expectClose } from './run.js';

const folder = scratch();
const INT = { type: 'DT_INT32' };
const BOOL = { type: 'DT_BOOL' };

const number = (name: string, value: number, dtype: Weight['dtype'] = 'float32'): Weight => ({
  name,
  shape: [],
  dtype,
  values: [value],
});
const numbers = (name: string, values: number[], dtype: Weight['dtype'] = 'int32'): Weight => ({
  name,
  shape: [values.length],
  dtype,
  values,
});
const TYPES = { float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' };

interface Model {
  readonly nodes: Node[];
  readonly weights?: Weight[];
  /** Functions of the graph's library. */
  readonly functions?: object[];
}

/** Converts, and compares with TF.js on each of the feeds; gives the operators of the file. */
async function compared({ nodes, weights = [], functions }: Model, feeds: readonly HostTensors[]) {
  const constants = weights.map(({ name, dtype }) => constant(name, TYPES[dtype]));
  const artifacts = graphModel([...constants, ...nodes], weights);
  const modelTopology = {
    ...artifacts.modelTopology,
    ...(functions && { library: { function: functions } }),
  };
  const converted = await convertModel(writeModel(folder(), { ...artifacts, modelTopology }));
  expect(converted.notes).toEqual([]);
  const session = await open(converted);
  for (const feed of feeds) {
    const [ours, theirs] = [await session.run(feed), await converted.run(feed)];
    for (const name of converted.outputs) {
      const [a, e] = [ours[name], theirs[name]];
      if (!a || !e) throw new Error(`no output ${name}`);
      expectClose(
        { dims: a.shape, data: Array.from(a.data, Number) },
        { dims: e.shape, data: e.data },
        1e-6,
      );
    }
  }
  await session.dispose();
  converted.dispose();
  return inspectModel(converted.model.toBytes()).operators;
}

/** Rows of which some, none and all have a sum above 0. */
const rowsOf = (count: number): HostTensors[] =>
  [(v: number) => v, (v: number) => -Math.abs(v), (v: number) => Math.abs(v) + 0.1].map((f) => ({
    x: float32([count, 3], wave([count, 3]).map(f)),
  }));

/** x > 0, and where. */
const above = [
  node('above', 'Greater', ['x', 'zero']),
  node('where', 'Where', ['above'], { T: BOOL }),
];
const zero = number('zero', 0);

describe('results whose size depends on values', () => {
  test('are the places of what is true, at any batch size', async () => {
    const nodes = [placeholder('x', [-1, 3]), ...above];
    const feeds = [1, 4, 9].flatMap(rowsOf);
    expect(await compared({ nodes, weights: [zero] }, feeds)).toMatchObject({ NonZero: 1 });
  });

  test('are the rows that a mask leaves, and what is computed from them', async () => {
    const nodes = [
      placeholder('x', [-1, 3]),
      node('sum', 'Sum', ['x', 'last'], { T, Tidx: INT, keep_dims: { b: false } }),
      node('above', 'Greater', ['sum', 'zero']),
      node('where', 'Where', ['above'], { T: BOOL }),
      node('rows', 'Squeeze', ['where'], {
        T: { type: 'DT_INT64' },
        squeeze_dims: { list: { i: ['1'] } },
      }),
      node('kept', 'GatherV2', ['x', 'rows', 'first'], { Tparams: T }),
      node('mean', 'Mean', ['kept', 'axes'], { T, Tidx: INT, keep_dims: { b: false } }),
      node('shape', 'Shape', ['kept'], { T, out_type: INT }),
      node('ones', 'Fill', ['shape', 'one'], { T, index_type: INT }),
      node('more', 'AddV2', ['kept', 'ones']),
      node('count', 'Neg', ['shape'], { T: INT }),
    ];
    const weights = [
      zero,
      number('one', 1),
      numbers('last', [1]),
      numbers('axes', [1]),
      number('first', 0, 'int32'),
    ];
    const feeds = [3, 8].flatMap(rowsOf);
    expect(await compared({ nodes, weights }, feeds)).toMatchObject({ NonZero: 1, Gather: 1 });
  });

  test('are cut at a bound, as detectors do', async () => {
    const nodes = [
      placeholder('x', [40]),
      ...above,
      node('rows', 'Squeeze', ['where'], {
        T: { type: 'DT_INT64' },
        squeeze_dims: { list: { i: ['1'] } },
      }),
      node('found', 'GatherV2', ['x', 'rows', 'first'], { Tparams: T }),
      node('shape', 'Shape', ['found'], { T, out_type: INT }),
      node('size', 'StridedSlice', ['shape', 'at', 'end', 'step'], {
        T: INT,
        Index: INT,
        shrink_axis_mask: { i: '1' },
      }),
      node('best', 'TopKV2', ['found', 'size'], { T, sorted: { b: true } }),
      node('most', 'Minimum', ['bound', 'size'], { T: INT }),
      node('range', 'Range', ['first', 'most', 'step_size'], { Tidx: INT }),
      node('cut', 'GatherV2', ['best', 'range', 'first'], { Tparams: T }),
      node('cut_shape', 'Shape', ['cut'], { T, out_type: INT }),
      node('missing', 'Sub', ['bounds', 'cut_shape'], { T: INT }),
      node('filling', 'Fill', ['missing', 'minus'], { T, index_type: INT }),
      node('filled', 'ConcatV2', ['cut', 'filling', 'first'], { T, N: { i: '2' } }),
    ];
    const weights = [
      zero,
      number('minus', -1),
      number('first', 0, 'int32'),
      number('bound', 30, 'int32'),
      number('step_size', 1, 'int32'),
      numbers('bounds', [30]),
      numbers('at', [0]),
      numbers('end', [1]),
      numbers('step', [1]),
    ];
    const feeds = [0, 5, 29, 30, 31, 40].map((count) => ({
      x: float32(
        [40],
        Float32Array.from({ length: 40 }, (_, i) => (i < count ? 1 + Math.sin(i) ** 2 : -1)),
      ),
    }));
    expect(await compared({ nodes, weights }, feeds)).toMatchObject({ Range: 1 });
  });

  const boxed = (op: string, attrs: Record<string, object>, limits: number): Node[] => [
    placeholder('boxes', [20, 4]),
    placeholder('scores', [20]),
    node(
      'kept',
      op,
      ['boxes', 'scores', 'most', 'overlap', 'least', 'sigma'].slice(0, 2 + limits),
      attrs,
    ),
    node('first', 'Identity', ['kept']),
    ...(limits > 2 && op !== 'NonMaxSuppressionV3' ? [node('second', 'Identity', ['kept:1'])] : []),
  ];
  test.each<[string, Record<string, object>, number]>([
    ['NonMaxSuppressionV2', {}, 2],
    ['NonMaxSuppressionV3', {}, 3],
    ['NonMaxSuppressionV4', { pad_to_max_output_size: { b: true } }, 3],
    ['NonMaxSuppressionV4', { pad_to_max_output_size: { b: false } }, 3],
    ['NonMaxSuppressionV5', {}, 4],
  ])('are the boxes that %s leaves %j', async (op, attrs, limits) => {
    const weights = [
      number('most', 12, 'int32'),
      number('overlap', 0.4),
      number('least', 0.3),
      number('sigma', 0),
    ].slice(0, limits);
    const feeds = [0, 0.5, 1.5].map((apart) => ({
      boxes: float32(
        [20, 4],
        Float32Array.from({ length: 80 }, (_, i) => {
          const box = Math.floor(i / 4);
          return ((box * (i % 2 ? 0.41 : 0.62)) % 1) * (apart * 3) + (i % 4 > 1 ? 1 : 0);
        }),
      ),
      scores: float32(
        [20],
        Float32Array.from({ length: 20 }, (_, i) => (i * 0.618 + apart) % 1),
      ),
    }));
    expect(
      await compared({ nodes: boxed(op, { T, ...attrs }, limits), weights }, feeds),
    ).toMatchObject({
      NonMaxSuppression: 1,
    });
  });

  test('are the different numbers of a list', async () => {
    const nodes = [
      placeholder('x', [9], 'DT_INT32'),
      node('values', 'Unique', ['x'], { T: INT }),
      node('twice', 'AddV2', ['values', 'values'], { T: INT }),
      node('places', 'Neg', ['values:1'], { T: INT }),
    ];
    const feeds = [
      [1, 1, 1, 1, 1, 1, 1, 1, 1],
      [5, 3, 5, 9, 3, 1, 2, 8, 5],
    ].map((list) => ({ x: { dtype: 'int32', shape: [9], data: Int32Array.from(list) } as const }));
    expect(await compared({ nodes }, feeds)).toMatchObject({ Unique: 1 });
  });
});

test('a spectrum of real numbers, at any batch size', async () => {
  const nodes = [
    placeholder('x', [-1, 16]),
    node('spectrum', 'RFFT', ['x', 'length'], { Treal: T }),
    node('size', 'ComplexAbs', ['spectrum']),
  ];
  const feeds = [1, 3].map((batch) => ({ x: float32([batch, 16]) }));
  expect(await compared({ nodes, weights: [numbers('length', [16])] }, feeds)).toMatchObject({
    DFT: 1,
  });
});

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
    await compared({ nodes, weights, functions }, feeds);
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
    await compared({ nodes, weights: [...weights, number('two', 2)] }, [...feeds, small]);
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
    await expect(compared({ nodes, weights: [...weights, flat] }, feeds)).rejects.toThrow(
      'cannot be exported',
    );
  });
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
    expect(await compared({ nodes, weights, functions }, feeds)).toMatchObject({ Loop: 1 });
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
    expect(await compared({ nodes, weights }, feeds)).toMatchObject({ Loop: 1 });
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
  await compared({ nodes, weights }, feeds);
});

test('its weights are in the memory once, and are gone when it is', async () => {
  const shared: Weight = {
    name: 'shared',
    shape: [64, 64],
    dtype: 'float32',
    values: wave([64, 64]),
  };
  const nodes = [
    placeholder('x', [2, 64]),
    node('product', 'MatMul', ['x', 'shared'], { T }),
    node('above', 'Greater', ['product', 'zero']),
    node('where', 'Where', ['above'], { T: BOOL }),
    node('sum', 'Sum', ['product', 'axes'], { T, Tidx: INT, keep_dims: { b: false } }),
    node('asked', 'Greater', ['sum', 'zero']),
    node('switch', 'Switch', ['product', 'asked']),
    node('no', 'Neg', ['switch']),
    node('both', 'Merge', ['no', 'switch:1'], { T, N: { i: '2' } }),
  ];
  const weights = [shared, zero, numbers('axes', [0, 1])];
  const constants = weights.map(({ name, dtype }) => constant(name, TYPES[dtype]));
  const path = writeModel(folder(), graphModel([...constants, ...nodes], weights));
  const before = tf.memory().numBytes;
  const converted = await convertModel(path);
  const bytes = 4 * weights.reduce((sum, { values }) => sum + values.length, 0);
  expect(tf.memory().numBytes - before).toBe(bytes);
  converted.dispose();
  expect(tf.memory().numBytes).toBe(before);
});
