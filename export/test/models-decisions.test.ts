/** Graph models whose results have sizes that depend on values. */
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { convertModel, type HostTensors } from '../src/index.js';
import { BOOL, compared, INT, number, numbers, TYPES, zero } from './decisions.js';
import {
  constant,
  graphModel,
  type Node,
  node,
  placeholder,
  T,
  type Weight,
} from './graph-files.js';
import { float32, scratch, wave, writeModel } from './models-files.js';

const folder = scratch();

/** Twenty boxes and their scores; the larger `apart`, the fewer overlap. */
const scatteredBoxes = (apart: number): HostTensors => ({
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
});

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

describe('results whose size depends on values', () => {
  test('are the places of what is true, at any batch size', async () => {
    const nodes = [placeholder('x', [-1, 3]), ...above];
    const feeds = [1, 4, 9].flatMap(rowsOf);
    expect(await compared(folder, { nodes, weights: [zero] }, feeds)).toMatchObject({ NonZero: 1 });
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
    expect(await compared(folder, { nodes, weights }, feeds)).toMatchObject({
      NonZero: 1,
      Gather: 1,
    });
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
    expect(await compared(folder, { nodes, weights }, feeds)).toMatchObject({ Range: 1 });
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
    const feeds = [0, 0.5, 1.5].map(scatteredBoxes);
    expect(
      await compared(folder, { nodes: boxed(op, { T, ...attrs }, limits), weights }, feeds),
    ).toMatchObject({
      NonMaxSuppression: 1,
    });
  });

  test.each([12, 30])('are the boxes that soft suppression leaves, %i at most', async (most) => {
    const weights = [
      number('most', most, 'int32'),
      number('overlap', 0.8),
      number('least', 0.2),
      number('sigma', 0.5),
    ];
    const feeds = [0.1, 0.5, 1.5].map(scatteredBoxes);
    const model = { nodes: boxed('NonMaxSuppressionV5', { T }, 4), weights };
    expect(await compared(folder, model, feeds)).toMatchObject({ Loop: 1, Range: 1 });
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
    expect(await compared(folder, { nodes }, feeds)).toMatchObject({ Unique: 1 });
  });
});

test('a spectrum of real numbers, at any batch size', async () => {
  const nodes = [
    placeholder('x', [-1, 16]),
    node('spectrum', 'RFFT', ['x', 'length'], { Treal: T }),
    node('size', 'ComplexAbs', ['spectrum']),
  ];
  const feeds = [1, 3].map((batch) => ({ x: float32([batch, 16]) }));
  expect(
    await compared(folder, { nodes, weights: [numbers('length', [16])] }, feeds),
  ).toMatchObject({
    DFT: 1,
  });
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
