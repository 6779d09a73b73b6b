import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { type OnnxModel, spec, trace } from '../src/index.js';
import { constant, floats, uniform } from './cases/case.js';
import { eager, expectClose, type Output, run, TOLERANCE, traced } from './run.js';

/** The operators of a graph, in the order in which they run. */
const operators = (model: OnnxModel): string[] => model.graph.order().map((node) => node.op);

/** Distinct constants of at least two elements that the graph reads. */
const weights = (model: OnnxModel): number =>
  new Set(
    model.graph
      .order()
      .flatMap((node) => node.inputs)
      .filter((v) => v?.data && v.dtype === 'float32' && v.data.length > 1),
  ).size;

const at = (data: ReturnType<typeof uniform>): tf.Tensor => constant(data);
const filter = (i: number, o: number) => at(uniform([3, 3, i, o])) as tf.Tensor4D;

describe('traced graphs', () => {
  it('have no room for a large constant of one value, and all of any other', () => {
    const sizeWith = (value: (i: number) => number): number => {
      const values = Float32Array.from({ length: 20_000 }, (_, i) => value(i));
      return trace(({ x }) => tf.add(x, tf.tensor1d(values)), { x: spec([20_000]) }).toBytes()
        .length;
    };
    expect(sizeWith(() => 3)).toBeLessThan(1000);
    expect(sizeWith((i) => (i === 19_999 ? 4 : 3))).toBeGreaterThan(80_000);
    expect(sizeWith((i) => (i === 19_999 ? -0 : 0))).toBeGreaterThan(80_000);
  });

  it('have one Gemm for a fully connected layer', () => {
    const model = trace(
      ({ x }) => tf.relu(tf.add(tf.matMul(x, at(uniform([4, 5]))), at(uniform([5])))),
      { x: spec(['N', 4]) },
    );
    expect(operators(model)).toEqual(['Gemm', 'Relu']);
  });

  it('have one Gemm for a layer of tfjs-layers, with its activation and a free batch', () => {
    const layer = layers.dense({ units: 3, activation: 'relu' });
    layer.build([null, 4]);
    const model = trace(({ x }) => layer.apply(x) as tf.Tensor, { x: spec(['N', 4]) });
    expect(operators(model)).toEqual(['Gemm', 'Relu']);
  });

  it('have one Gemm for a fully connected layer with batch normalisation, which TF.js does in four axes', async () => {
    const [w, ...moments] = [uniform([4, 5]), ...[1, 2, 3, 4].map((i) => uniform([5], i, i + 1))];
    const layer = (x: tf.Tensor, ...given: tf.Tensor[]) => {
      const [weights, mean, variance, offset, scale] = given as tf.Tensor2D[];
      const y = tf.matMul(x as tf.Tensor2D, weights as tf.Tensor2D);
      return tf.leakyRelu(
        tf.batchNorm(y, mean as never, variance as never, offset as never, scale as never),
      );
    };
    const given = [w, ...moments] as ReturnType<typeof uniform>[];
    const model = trace(({ x }) => layer(x, ...given.map(at)), { x: spec(['N', 4]) });
    expect(operators(model)).toEqual(['Gemm', 'LeakyRelu']);
    const input = uniform([3, 4]);
    const [result] = await run(model, [input]);
    const [expected] = eager(layer as never, [input, ...given]);
    expectClose(result as never, expected as never, TOLERANCE.forward);
  });

  it('have one Gemm for a fully connected layer whose weights are inputs', () => {
    const model = trace(({ x, w, b }) => tf.add(tf.matMul(x, w), b), {
      x: spec([3, 4]),
      w: spec([4, 5]),
      b: spec([5]),
    });
    expect(operators(model)).toEqual(['Gemm']);
  });

  it('stay channels-first between convolutions: only the ends are transposed', () => {
    const layer = (x: tf.Tensor, w: tf.Tensor4D, bias: tf.Tensor) =>
      tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, w, 1, 'same'), bias)) as tf.Tensor4D;
    const model = trace(
      ({ x }) => {
        const y = layer(layer(x, filter(3, 4), at(uniform([4]))), filter(4, 4), at(uniform([4])));
        return tf.maxPool(y, 2, 2, 'valid');
      },
      { x: spec(['N', 8, 8, 3]) },
    );
    expect(operators(model)).toEqual([
      'Transpose',
      ...['Conv', 'Relu'],
      ...['Conv', 'Relu'],
      'MaxPool',
      'Transpose',
    ]);
  });

  it('have products in place of convolutions whose filters are trained, and share the windows', () => {
    const loss = (x: tf.Tensor, w: tf.Tensor) =>
      tf.sum(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 1));
    const model = trace(({ x, w }) => ({ loss: loss(x, w), grads: tf.grads(loss)([x, w]) }), {
      x: spec([5, 6, 6, 8]),
      w: spec([4, 4, 8, 9]),
    });
    const count = (op: string) => operators(model).filter((o) => o === op).length;
    // One for the windows; for each of the four kinds of tile of the image's gradient one, and one
    // for its taps of the filter.
    expect(count('Gather')).toBe(1 + 2 * 4);
    expect(count('MatMul') + count('Gemm')).toBe(1 + 1 + 4);
    expect(operators(model)).not.toContain('Pad');
    expect(operators(model)).not.toContain('Transpose');
    expect(operators(model).filter((op) => op.startsWith('Conv'))).toEqual([]);
  });

  // A convolution's gradient for its image: four products, whose rows are arranged and added up.
  const image = (dy: tf.Tensor, w: tf.Tensor) =>
    tf.conv2dTranspose(dy as tf.Tensor4D, w as tf.Tensor4D, [2, 8, 8, 8], 2, 1);

  it('multiply by a power of two within the products it comes from, to the same bits', async () => {
    const inputs = [uniform([2, 4, 4, 9]), uniform([4, 4, 8, 9])];
    const plain = traced(image, inputs);
    const model = traced((dy: tf.Tensor, w: tf.Tensor) => tf.mul(image(dy, w), 2 ** -70), inputs);
    expect(operators(model)).toEqual(operators(plain));
    const [{ data }] = (await run(model, inputs)) as [Output];
    const [unscaled] = (await run(plain, inputs)) as [Output];
    expect(data).toEqual(Float32Array.from(unscaled.data, (x) => x * 2 ** -70));
  });

  it('keep a multiplication that is not by a power of two, is read twice, has one row or is scaled already', () => {
    const product = (x: tf.Tensor, w: tf.Tensor) => tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D);
    const muls = (fn: (y: tf.Tensor) => tf.Tensor | tf.Tensor[], rows = 3) => {
      const inputs = [uniform([rows, 4]), uniform([4, 5])];
      const model = traced((x: tf.Tensor, w: tf.Tensor) => fn(product(x, w)), inputs);
      return operators(model).filter((op) => op === 'Mul').length;
    };
    const halve = (y: tf.Tensor) => tf.mul(y, 0.5);
    expect(muls(halve)).toBe(0);
    expect(muls((y) => halve(tf.mul(y, at(uniform([5])))))).toBe(1);
    expect(muls((y) => halve(tf.mul(y, tf.sin(y))))).toBe(2);
    expect(muls((y) => tf.mul(y, 3))).toBe(1);
    expect(muls((y) => tf.mul(y, -2))).toBe(1);
    expect(muls((y) => [halve(y), y])).toBe(1);
    expect(muls((y) => halve(halve(y)))).toBe(1);
    expect(muls(halve, 1)).toBe(1);
  });

  it('take a normalisation by constant statistics into the convolution', () => {
    const model = trace(
      ({ x }) => {
        const y = tf.conv2d(x as tf.Tensor4D, filter(3, 4), 1, 'same');
        const [mean, offset, scale] = [uniform([4]), uniform([4]), uniform([4], 1, 2)].map(at);
        const variance = at(uniform([4], 0.5, 1));
        return tf.batchNorm(y, mean as never, variance as never, offset as never, scale as never);
      },
      { x: spec(['N', 8, 8, 3]) },
    );
    expect(operators(model)).toEqual(['Transpose', 'Conv', 'Transpose']);
  });

  it('compute what depends on constants alone while tracing, and share equal constants', () => {
    const model = trace(
      ({ x }) => {
        const twice = [floats([1, 2, 3]), floats([1, 2, 3])].map((v) => tf.sin(tf.mul(at(v), 2)));
        return tf.mul(tf.add(x, twice[0] as tf.Tensor), twice[1] as tf.Tensor);
      },
      { x: spec([2, 3]) },
    );
    expect(operators(model)).toEqual(['Add', 'Mul']);
    expect(weights(model)).toBe(1);
  });

  it('compute equal expressions once, and nothing that no output needs', () => {
    const model = trace(
      ({ x }) => {
        tf.exp(x);
        return tf.add(tf.sin(x), tf.sin(x));
      },
      { x: spec([2, 3]) },
    );
    expect(operators(model)).toEqual(['Sin', 'Add']);
  });

  it('print alike if they are alike', () => {
    const model = () => trace(({ x }) => ({ y: tf.mul(tf.tanh(x), 2) }), { x: spec([2]) });
    expect(model().toString()).toBe(
      [
        'input  x: float32[2]',
        '%0: float32[2] = Tanh(x)',
        '%1: float32[2] = Mul(%0, 2)',
        'output y = %1',
      ].join('\n'),
    );
    expect(model().toBytes()).toEqual(model().toBytes());
  });
});
