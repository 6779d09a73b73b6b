import { openSession } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  layers as L,
  type LayersModel,
  model,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { convertModel, spec, trace } from '../src/index.js';
import { artifactsOf, float32, open, scratch, wave, writeModel } from './models-files.js';
import { expectClose } from './run.js';

const folder = scratch();
const TOLERANCE = 2e-6;
const [TIME, FEATURES] = [7, 4];
const recurrentInitializer = 'glorotNormal' as const;
const units = { units: 3, recurrentInitializer };

type Options = Parameters<typeof L.lstm>[0];
const kinds = {
  LSTM: (options: Partial<Options>) => L.lstm({ ...units, ...options }),
  GRU: (options: Partial<Options>) => L.gru({ ...units, ...options }),
  RNN: (options: Partial<Options>) => L.simpleRNN({ ...units, ...options }),
};

/** Series of which some steps are zeros, at the front, inside and at the end; one has no other. */
function withGaps(batch: number): Float32Array {
  const x = wave([batch, TIME, FEATURES]);
  const gaps = [
    [0, 3],
    [2, 5, 6],
    [0, 1, 2, 3, 4, 5, 6],
  ];
  for (let i = 0; i < batch; i++) {
    for (const t of gaps[i % gaps.length] as number[]) {
      x.fill(0, (i * TIME + t) * FEATURES, (i * TIME + t + 1) * FEATURES);
    }
  }
  return x;
}

/** Weights that are the same on every run, and not symmetric. */
const weigh = (net: LayersModel): void =>
  net.setWeights(
    net.weights.map(({ shape }) => tf.tensor(wave(shape as number[], 0.7), shape as number[])),
  );

/** Converts, and compares at several batch sizes; gives the operators of the file. */
async function compared(net: LayersModel, batches: readonly number[]) {
  weigh(net);
  const converted = await convertModel(writeModel(folder(), await artifactsOf(net)));
  expect(converted.notes).toEqual([]);
  const session = await open(converted);
  const names = [...converted.inputs.keys()];
  for (const batch of batches) {
    const feeds = Object.fromEntries(
      net.inputs.map(({ shape }, i) => {
        const sizes = [batch, ...shape.slice(1).map((d) => d ?? TIME)];
        const series = sizes.length === 3 && sizes[1] === TIME;
        return [names[i], float32(sizes, series ? withGaps(batch) : wave(sizes))];
      }),
    );
    const [ours, theirs] = [await session.run(feeds), await converted.run(feeds)];
    for (const name of converted.outputs) {
      const [a, e] = [ours[name], theirs[name]];
      if (!a || !e) throw new Error(`no output ${name}`);
      expectClose(
        { dims: a.shape, data: a.data as never },
        { dims: e.shape, data: e.data },
        TOLERANCE,
      );
    }
  }
  await session.dispose();
  return converted.model.graph.order().map(({ op }) => op);
}

const series = { inputShape: [TIME, FEATURES] };
const masking = () => L.masking({ ...series, maskValue: 0 });
const each = Object.entries(kinds);

describe('a recurrent layer is one operator, and computes what TF.js computes:', () => {
  test.each(each)('%s', async (op, make) => {
    const ops = await compared(sequential({ layers: [make(series)] }), [1, 3]);
    expect(ops.filter((name) => name === op)).toHaveLength(1);
    expect(ops.length).toBeLessThan(6);
  });
  test.each(each)('%s backwards, as a series, without a bias', async (op, make) => {
    const options = { ...series, goBackwards: true, returnSequences: true, useBias: false };
    const ops = await compared(sequential({ layers: [make(options)] }), [1, 3]);
    expect(ops).toContain(op);
  });
  test.each(each)('%s of masked steps', async (op, make) => {
    const ops = await compared(sequential({ layers: [masking(), make({})] }), [1, 3, 4]);
    expect(ops).toContain(op);
  });
  test.each(each)('%s of masked steps, backwards, as a series', async (op, make) => {
    const options = { goBackwards: true, returnSequences: true };
    const ops = await compared(sequential({ layers: [masking(), make(options)] }), [1, 3, 4]);
    expect(ops).toContain(op);
  });
  test.each(['concat', 'sum', 'mul', 'ave'] as const)('both ways, by %s', async (mergeMode) => {
    const both = (layer: unknown) => L.bidirectional({ layer: layer as never, mergeMode });
    const ops = await compared(
      sequential({
        layers: [
          masking(),
          both(kinds.LSTM({ returnSequences: true })),
          both(kinds.GRU({ returnSequences: true })),
          both(kinds.RNN({})),
        ],
      }),
      [1, 3],
    );
    for (const op of ['LSTM', 'GRU', 'RNN']) {
      expect(ops.filter((name) => name === op)).toHaveLength(2);
    }
  });
  test('a series both ways turns nothing round', async () => {
    const layer = kinds.LSTM({ returnSequences: true }) as never;
    const ops = await compared(
      sequential({ layers: [L.bidirectional({ ...series, layer })] }),
      [2],
    );
    expect(ops).not.toContain('Slice');
  });
  test.each(each)('%s that starts from the states of another', async (op, make) => {
    const [x, y] = [TIME, 3].map((time) => input({ shape: [time, FEATURES] })) as [
      SymbolicTensor,
      SymbolicTensor,
    ];
    const [, ...states] = make({ returnState: true }).apply(x) as SymbolicTensor[];
    const outputs = make({ returnSequences: true }).apply([y, ...states]) as SymbolicTensor;
    const ops = await compared(model({ inputs: [x, y], outputs }), [1, 4]);
    expect(ops.filter((name) => name === op)).toHaveLength(2);
  });
  test.each(each)('%s that keeps its state, from the first one', async (op, make) => {
    const options = { batchInputShape: [2, TIME, FEATURES], stateful: true };
    expect(await compared(sequential({ layers: [make(options)] }), [2])).toContain(op);
  });
  test.each(['hardSigmoid', 'sigmoid', 'tanh', 'relu', 'softsign'] as const)(
    'the activation %s',
    async (name) => {
      const options = { ...series, activation: name, recurrentActivation: name };
      for (const [op, make] of each) {
        expect(await compared(sequential({ layers: [make(options)] }), [2])).toContain(op);
      }
    },
  );
  test.each(['linear', 'softplus', 'selu', 'swish'] as const)(
    'the activation %s, which ONNX lacks, step by step',
    async (activation) => {
      for (const [op, make] of each) {
        const ops = await compared(sequential({ layers: [make({ ...series, activation })] }), [2]);
        expect(ops).not.toContain(op);
      }
    },
  );
});

test('the batch and the number of steps may both stay free', async () => {
  const net = sequential({
    layers: [
      L.masking({ inputShape: [null as never, FEATURES], maskValue: 0 }),
      L.bidirectional({ layer: kinds.LSTM({ returnSequences: true }) as never }),
      kinds.GRU({ returnSequences: true }),
      kinds.RNN({}),
    ],
  });
  weigh(net);
  const apply = (x: tf.Tensor) => net.apply(x) as tf.Tensor;
  const { toBytes } = trace(({ x }) => ({ y: apply(x) }), { x: spec(['N', 'T', FEATURES]) });
  const session = await openSession(toBytes(), { device: 'cpu' });
  for (const [batch, time] of [
    [1, 1],
    [3, TIME],
    [2, 12],
  ] as const) {
    const { shape, data } =
      time === TIME
        ? float32([batch, time, FEATURES], withGaps(batch))
        : float32([batch, time, FEATURES]);
    const { y } = await session.run({ x: { dtype: 'float32', shape, data: data as Float32Array } });
    const expected = apply(tf.tensor(data, [...shape]));
    expectClose(
      { dims: y?.shape as number[], data: y?.data as never },
      { dims: expected.shape, data: expected.dataSync() },
      TOLERANCE,
    );
  }
  await session.dispose();
});

test('a traced function may take gradients through a recurrent layer', () => {
  const layer = kinds.GRU({ returnSequences: false });
  const loss = (x: tf.Tensor) => tf.sum(tf.square(layer.apply(x) as tf.Tensor)) as tf.Scalar;
  loss(tf.zeros([2, TIME, FEATURES]));
  const { graph } = trace(({ x }) => ({ y: tf.grad(loss)(x) }), { x: spec([2, TIME, FEATURES]) });
  expect(graph.order().map(({ op }) => op)).not.toContain('GRU');
});
