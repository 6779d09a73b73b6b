/**
 * A sigmoid as ONNX Runtime's operator and as 1 / (1 + exp(−x)), alone and after a convolution, in turns
 * on one thread: the milliseconds of each and their ratio, and the largest relative errors of their tails.
 */
import { spec, trace } from '@gpn/export';
import * as tf from '@tensorflow/tfjs-core';
import ort from 'onnxruntime-node';

const SHAPE = [1, 128, 128, 16];
const TURNS = 41;
const filter = tf.tensor4d(Float32Array.from({ length: 2304 }, Math.sin), [3, 3, 16, 16]);
const FUNCTIONS = {
  alone: (x) => tf.sigmoid(x),
  'after a convolution': (x) => tf.sigmoid(tf.conv2d(x, filter, 1, 'same')),
};

const open = (fn, exactSigmoids) =>
  ort.InferenceSession.create(
    trace(({ x }) => ({ y: fn(x) }), { x: spec(SHAPE) }, { exactSigmoids }).toBytes(),
    { intraOpNumThreads: 1 },
  );
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

const data = Float32Array.from(
  { length: tf.util.sizeFromShape(SHAPE) },
  (_, i) => 20 * Math.sin(i),
);
const x = new ort.Tensor('float32', data, SHAPE);
for (const [name, fn] of Object.entries(FUNCTIONS)) {
  const sessions = [await open(fn, false), await open(fn, true)];
  const times = [[], []];
  const errors = [0, 0];
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [i, session] of sessions.entries()) {
      const start = performance.now();
      const { y } = await session.run({ x });
      times[i].push(performance.now() - start);
      if (turn > 0 || name !== 'alone') continue;
      data.forEach((v, k) => {
        const right = 1 / (1 + Math.exp(-v));
        errors[i] = Math.max(errors[i], Math.abs(y.data[k] - right) / right);
      });
    }
  }
  const [one, four] = times.map(median);
  const tails =
    name === 'alone' ? `, errors ${errors.map((e) => e.toExponential(1)).join(' and ')}` : '';
  console.log(
    `${name}: ${one.toFixed(2)} and ${four.toFixed(2)} ms, ratio ${(four / one).toFixed(2)}${tails}`,
  );
}
