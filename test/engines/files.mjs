/**
 * What the engines are measured on: the bundled files and fresh exports of today, each with inputs at
 * batches of 1, 3 and 64 and what onnxruntime-node computes of them.
 *
 *   node test/engines/files.mjs FOLDER
 *
 * FOLDER gets NAME.onnx and, for each batch, NAME.BATCH.json: names, shapes and values of the inputs
 * and outputs (float32 in base64).
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spec, trace } from '@gpn/export';
import { openSession } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';

/** Sizes of free dimensions other than the batch, such as a score map’s height and width: no fragment is larger. */
const OTHER_SIZE = 44;
const BATCHES = [1, 3, 64];

/** Weights that are the same each time. */
const weights = (shape, seed) => {
  const size = shape.reduce((a, b) => a * b);
  const value = (_, i) => 0.3 * Math.sin(78.233 * (i + 1) * seed);
  return tf.tensor(Float32Array.from({ length: size }, value), shape);
};

/** Fresh exports: what the bundled ones do not have. */
const FRESH = {
  'fresh-dense': () =>
    trace(({ x }) => ({ y: tf.tanh(tf.add(tf.matMul(x, weights([12, 9], 1)), weights([9], 2))) }), {
      x: spec(['N', 12]),
    }),
  // Padding of 0 before and 1 behind: what TensorFlow calls SAME.
  'fresh-transposed': () =>
    trace(
      ({ x }) => ({
        y: tf.conv2dTranspose(x, weights([3, 3, 4, 6], 3), [x.shape[0], 14, 14, 4], 2, 'same'),
      }),
      { x: spec(['N', 7, 7, 6]) },
    ),
  'fresh-conv': () =>
    trace(
      ({ x }) => ({
        y: tf.mean(tf.relu(tf.conv2d(x, weights([3, 3, 3, 8], 4), 2, 'same')), [1, 2]),
      }),
      { x: spec(['N', 16, 16, 3]) },
    ),
  'fresh-depthwise': () =>
    trace(
      ({ x }) => ({ y: tf.relu6(tf.depthwiseConv2d(x, weights([3, 3, 4, 2], 5), 1, 'same')) }),
      { x: spec(['N', 10, 10, 4]) },
    ),
  'fresh-pool': () =>
    trace(({ x }) => ({ y: tf.softmax(tf.reshape(tf.maxPool(x, 2, 2, 'valid'), [-1, 64])) }), {
      x: spec(['N', 8, 8, 4]),
    }),
  'fresh-two-inputs': () =>
    trace(({ a, b }) => ({ y: tf.sigmoid(tf.matMul(tf.concat([a, b], 1), weights([10, 5], 6))) }), {
      a: spec(['N', 6]),
      b: spec(['N', 4]),
    }),
  // Not among those that are counted: --float16 is asked for.
  'float16-conv': () =>
    trace(
      ({ x }) => ({ y: tf.relu(tf.conv2d(x, weights([3, 3, 3, 8], 4), 2, 'same')) }),
      { x: spec(['N', 16, 16, 3]) },
      { float16: true },
    ),
  'float16-dense': () =>
    trace(
      ({ x }) => ({ y: tf.tanh(tf.matMul(x, weights([12, 9], 1))) }),
      { x: spec(['N', 12]) },
      { float16: true },
    ),
};

const folder = process.argv[2];
if (!folder) {
  console.error('usage: node test/engines/files.mjs FOLDER');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const bundled = fileURLToPath(new URL('../../models/pretrained/', import.meta.url));
for (const file of readdirSync(bundled).filter((name) => name.endsWith('.onnx'))) {
  copyFileSync(join(bundled, file), join(folder, file));
}
await tf.setBackend('cpu');
for (const [name, make] of Object.entries(FRESH)) {
  writeFileSync(join(folder, `${name}.onnx`), make().toBytes());
}
for (const file of readdirSync(folder).filter((name) => name.endsWith('.onnx'))) {
  const session = await openSession(readFileSync(join(folder, file)), { device: 'cpu' });
  for (const batch of BATCHES) {
    const inputs = session.inputs.map(({ name, shape }, k) => {
      const sizes = shape.map((d, i) => (typeof d === 'number' ? d : i === 0 ? batch : OTHER_SIZE));
      const data = Float32Array.from({ length: sizes.reduce((a, b) => a * b) }, (_, i) =>
        Math.sin(12.9898 * i + k),
      );
      return { name, shape: sizes, data };
    });
    const feeds = inputs.map(({ name, ...rest }) => [name, { dtype: 'float32', ...rest }]);
    const results = await session.run(Object.fromEntries(feeds));
    const outputs = Object.entries(results).map(([name, { shape, data }]) => ({
      name,
      shape,
      data,
    }));
    writeFileSync(
      join(folder, file.replace(/onnx$/, `${batch}.json`)),
      JSON.stringify({ inputs: inputs.map(packed), outputs: outputs.map(packed) }),
    );
  }
  await session.dispose();
}

function packed({ name, shape, data }) {
  return { name, shape, data: Buffer.from(Float32Array.from(data).buffer).toString('base64') };
}
