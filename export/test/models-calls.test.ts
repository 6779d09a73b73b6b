/** Graph models that call functions, which TF.js does not do: the right values are computed here. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { convertModel } from '../src/index.js';
import { INT } from './decisions.js';
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
const float = (name: string) => ({ name, type: 'DT_FLOAT' });

const call = (name: string, of: string, input: string[], op = 'PartitionedCall'): Node =>
  node(name, op, input, { f: { func: { name: of } } });

const kernel: Weight = {
  name: 'convolve/kernel',
  shape: [3, 3, 2, 4],
  dtype: 'float32',
  values: wave([3, 3, 2, 4]),
};

/** Convolves in two groups; the other function gives what it is given halved, and that doubled. */
const functions = [
  {
    signature: { name: 'convolve', inputArg: [float('images')], outputArg: [float('y')] },
    nodeDef: [
      constant('convolve/kernel'),
      node('conv', 'Conv2D', ['images', 'convolve/kernel:output:0'], {
        T,
        strides: { list: { i: ['1', '1', '1', '1'] } },
        padding: { s: Buffer.from('SAME').toString('base64') },
        data_format: { s: Buffer.from('NHWC').toString('base64') },
      }),
      call('halves', 'both', ['conv:output:0'], 'StatefulPartitionedCall'),
      node('sum', 'Sub', ['halves:output:1', 'halves:output:0']),
    ],
    ret: { y: 'sum:z:0' },
  },
  {
    signature: { name: 'both', inputArg: [float('a')], outputArg: [float('half'), float('twice')] },
    nodeDef: [
      constant('both/half'),
      node('half', 'Mul', ['a', 'both/half:output:0']),
      node('twice', 'AddV2', ['a', 'a']),
    ],
    ret: { half: 'half:z:0', twice: 'twice:z:0' },
  },
];

test('calls are what their functions compute, also within functions and of second outputs', async () => {
  const half: Weight = { name: 'both/half', shape: [], dtype: 'float32', values: [0.5] };
  const nodes = [
    placeholder('x', [-1, 5, 5, 4]),
    call('first', 'convolve', ['x']),
    call('pair', 'both', ['first']),
    node('y', 'Identity', ['pair:1']),
    node('shape', 'Shape', ['first'], { T, out_type: INT }),
  ];
  const artifacts = graphModel(nodes, [kernel, half]);
  const modelTopology = { ...artifacts.modelTopology, library: { function: functions } };
  const converted = await convertModel(writeModel(folder(), { ...artifacts, modelTopology }));
  expect(converted.notes).toEqual([]);
  const session = await open(converted);
  for (const batch of [1, 3]) {
    const x = float32([batch, 5, 5, 4]);
    const expected = tf.tidy(() => {
      const images = tf.split(tf.tensor4d(x.data as Float32Array, [batch, 5, 5, 4]), 2, 3);
      const filters = tf.split(tf.tensor4d(wave([3, 3, 2, 4]), [3, 3, 2, 4]), 2, 3);
      const groups = images.map((part, i) =>
        tf.conv2d(part as tf.Tensor4D, filters[i] as tf.Tensor4D, 1, 'same'),
      );
      return tf.mul(tf.concat(groups, 3), 3).dataSync();
    });
    const { y, shape } = await session.run({ x });
    expectClose(
      { dims: y?.shape ?? [], data: Array.from(y?.data ?? [], Number) },
      { dims: [batch, 5, 5, 4], data: expected },
      1e-6,
    );
    expect(Array.from(shape?.data ?? [], Number)).toEqual([batch, 5, 5, 4]);
  }
  await session.dispose();
  converted.dispose();
});
