import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { spec, trace } from '../src/index.js';

const traceOf = (fn: (x: tf.Tensor) => tf.Tensor) => () =>
  trace(({ x }) => fn(x as tf.Tensor), { x: spec([2, 3]) });

describe('drawing random numbers inside a trace', () => {
  const draws: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
    randomNormal: (x) => tf.add(x, tf.randomNormal([2, 3])),
    randomUniform: (x) => tf.add(x, tf.randomUniform([2, 3], 0, 1, 'float32', 'a seed')),
    randomUniformInt: (x) => tf.add(x, tf.randomUniformInt([2, 3], 0, 9, 5)),
    truncatedNormal: (x) => tf.add(x, tf.truncatedNormal([2, 3], 0, 1, 'float32', 7)),
    randomGamma: (x) => tf.add(x, tf.randomGamma([2, 3], 1)),
    rand: (x) =>
      tf.add(
        x,
        tf.rand([2, 3], () => 0.5),
      ),
    multinomial: (x) => tf.multinomial(x as tf.Tensor2D, 4, 3),
    dropout: (x) => tf.dropout(x, 0.5, undefined, 3),
  };
  it.each(Object.entries(draws))('by tf.%s is refused, seeded or not', (name, fn) => {
    expect(traceOf(fn)).toThrow(/was called inside a traced function.*pass them in as an input/s);
    expect(traceOf(fn)).toThrow(name === 'dropout' ? /tf\.(dropout|randomUniform)/ : `tf.${name}`);
  });

  it('is not needed: random numbers can be an input', () => {
    const model = trace(({ x, noise }) => tf.add(x, noise), { x: spec([2]), noise: spec([2]) });
    expect(model.graph.inputs.map((v) => v.name)).toEqual(['x', 'noise']);
  });
});

describe('trace', () => {
  it('refuses to read values, and names the operation that read them', () => {
    expect(traceOf((x) => tf.scalar(x.dataSync()[0] as number))).toThrow(
      /values of a tensor were read while it was being traced.*make the value an input/s,
    );
    const named = (x: tf.Tensor) => tf.tidy('judge', () => tf.scalar(x.arraySync() as number));
    expect(traceOf(named)).toThrow('(in judge)');
  });

  it('names a kernel that has no ONNX form, and says what to do', () => {
    const [rows, ids] = [
      [0, 1],
      [0, 1],
    ].map((v) => tf.tensor1d(v, 'int32'));
    expect(
      traceOf((x) => tf.sparse.sparseSegmentMean(x as never, rows as never, ids as never)),
    ).toThrow(
      /kernel SparseSegmentMean \(in sparseSegmentMean\) has no ONNX form.*Write that part with other operations/s,
    );
  });

  it('refuses to gather rows that do not exist, if the indices are constants', () => {
    const gather = (x: tf.Tensor) => tf.gather(x, tf.tensor1d([0, 2], 'int32'));
    expect(traceOf(gather)).toThrow('there is no row 2 on axis 0 of [2,3]');
  });

  it('refuses text and complex numbers', () => {
    expect(traceOf((x) => tf.real(tf.add(tf.complex(x, x), tf.complex(x, x))))).toThrow(
      'complex64',
    );
  });

  it('refuses to make complex numbers of real ones', () => {
    expect(traceOf((x) => tf.cast(x, 'complex64'))).toThrow('cast to complex64 in a trace');
  });

  it('leaves TF.js as it was after an error', () => {
    void tf.setBackend('cpu');
    expect(traceOf((x) => tf.scalar(x.dataSync()[0] as number))).toThrow();
    expect(tf.getBackend()).toBe('cpu');
    expect(tf.add(1, 2).dataSync()[0]).toBe(3);
  });
});

it('trace leaves TF.js with a backend that computes, whether the trace ends well or not', () => {
  trace(({ x }) => tf.relu(x), { x: spec([2]) });
  expect(tf.getBackend()).toBe('cpu');
  const read = () => trace(({ x }) => tf.tensor(x.dataSync()), { x: spec([2]) });
  expect(read).toThrow(/were read/);
  expect(tf.getBackend()).toBe('cpu');
});
