import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Builder } from '../src/graph/builder.js';
import { encode } from '../src/graph/encode.js';
import { spec, trace } from '../src/index.js';
import { geometry } from '../src/lowerings/conv/geometry.js';
import * as winograd from '../src/lowerings/conv/winograd.js';
import { uniform } from './cases/case.js';
import { eager, expectClose, type Output, run, TOLERANCE } from './run.js';

type Images = tf.Tensor4D;

/** [batch, height, width, in], out, strides, padding, and the strides of a kernel: 2 unless given. */
const CASES: Record<
  string,
  [[number, number, number, number], number, number | [number, number], number | 'valid', number?]
> = {
  'whole tiles': [[2, 8, 8, 3], 5, 2, 1],
  'one tile': [[3, 4, 4, 2], 3, 2, 1],
  'a last tile that reaches beyond the output': [[2, 6, 10, 3], 2, 2, 1],
  'one output along an axis': [[2, 4, 7, 2], 3, 2, 'valid'],
  'several blocks, the last of which reach beyond the output': [[2, 14, 20, 2], 3, 2, 1],
  'blocks of windows that begin at every pixel': [[1, 10, 6, 2], 3, 1, 'valid'],
  'pixels that no window sees': [[2, 9, 7, 2], 3, 2, 'valid'],
  'a stride of 1': [[2, 5, 4, 3], 4, 1, 'valid'],
  'strides of 3 and 2': [[1, 9, 8, 2], 2, [3, 2], 'valid'],
  'three taps': [[2, 8, 8, 3], 5, 1, 1, 3],
  'three taps, and a last tile that reaches beyond the output': [[2, 7, 5, 2], 3, 1, 1, 3],
  'three taps without padding': [[2, 6, 9, 2], 3, 1, 'valid', 3],
  'three taps, and one output along an axis': [[2, 3, 8, 2], 3, 1, 'valid', 3],
  'three taps of two pixels': [[1, 14, 12, 2], 2, 2, 2, 3],
};

describe('a Winograd convolution', () => {
  it.each(Object.entries(CASES))(
    '%s computes what TF.js computes',
    async (_, [shape, out, strides, pad, taps = 2]) => {
      const [sh, sw] = [strides].flat() as [number, number?];
      const filterShape = [taps * sh, taps * (sw ?? sh), shape[3], out];
      const g = geometry(shape, filterShape, { strides, pad });
      const inputs = [
        uniform(shape),
        uniform(filterShape, -0.5, 0.5),
        uniform([shape[0], g.axes[0].output, g.axes[1].output, out]),
      ];
      const b = new Builder();
      const [x, w, dy] = inputs.map((v, i) => b.graph.input('xwd'[i] as string, v.shape, v.dtype));
      b.graph.output('y', winograd.convolve(b, x as never, w as never, g));
      b.graph.output('dx', winograd.inputGradient(b, dy as never, w as never, g));
      b.graph.output('dw', winograd.filterGradient(b, x as never, dy as never, g));
      b.graph.verify();
      const toBytes = () => encode(b.graph, { name: 'minimal', dim: (size) => size });
      const results = await run({ graph: b.graph, toBytes } as never, inputs);
      const expected = eager((x: Images, w: Images, dy: Images) => {
        const f = (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as Images, w as Images, strides, pad);
        return [
          f(x, w),
          ...tf.grads((...[x, w]) => tf.sum(tf.mul(f(x as Images, w as Images), dy)))([x, w]),
        ];
      }, inputs);
      for (const [i, result] of results.entries()) {
        expectClose(result, expected[i] as Output, TOLERANCE.forward);
      }
    },
  );
});

describe('a Winograd convolution', () => {
  /** How many matrices at once the products of a layer are, forward and backward. */
  const products = (batch: number, channels: number, kernel = 4, stride = 2): number[] => {
    const shape = [batch, 8, 8, channels] as const;
    const layer = (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as Images, w as Images, stride, 1);
    const model = trace(
      ({ x, w }) => tf.grads((a, c) => tf.sum(tf.square(layer(a as Images, c as Images))))([x, w]),
      { x: spec(shape), w: spec([kernel, kernel, channels, 2 * channels]) },
    );
    return model.graph
      .order()
      .filter((node) => node.op === 'MatMul' && node.inputs.every((v) => !v?.data))
      .map((node) =>
        node.outputs[0]?.shape.length === 3 ? (node.outputs[0].shape[0] as number) : 1,
      );
  };

  it('has nine products in place of sixteen if channels are many', () => {
    expect(products(64, 64)).toEqual([9, 9, 9]);
  });

  it('has 36 products in place of 144 for three taps', () => {
    expect(products(64, 32, 3, 1)).toEqual([36, 36, 36]);
  });

  it('is written for more pixels than a call takes arguments', () => {
    const g = geometry([256, 32, 32, 1], [4, 4, 1, 1], { strides: 2, pad: 1 });
    const b = new Builder();
    const dy = b.graph.input('dy', [256, 16, 16, 1], 'float32');
    const w = b.graph.input('w', [4, 4, 1, 1], 'float32');
    expect(winograd.inputGradient(b, dy, w, g).shape).toEqual([256, 32, 32, 1]);
  });

  it('is not written for few channels or a small batch, whose constant matrices would cost the most', () => {
    expect(products(64, 8)).not.toContain(9);
    expect(products(1, 64)).not.toContain(9);
  });
});
