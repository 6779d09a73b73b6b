/** The engine tensorflow on TensorFlow itself: its convolutions, its losses, Ctrl-C, the doctor. */
import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { spec } from '@gpn/export';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { padExplicitly } from '../../training/src/engine/explicit-padding.js';
import { tensorflowStep } from '../../training/src/engine/tensorflow.js';
import { bin, gpn, interrupted, scratchFolder } from '../cli.js';
import { root } from '../imports.js';
import { hasTensorflow, loadTensorflow, NO_TENSORFLOW } from './package.js';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const there = hasTensorflow();
beforeEach(({ skip }) => {
  if (!there) skip(NO_TENSORFLOW);
});

type Shape = [number, number, number, number];

/** Scattered numbers in [-1, 1) that are the same everywhere: Weyl's sequence. */
const scattered = (shape: Shape): tf.Tensor4D =>
  tf.tensor4d(
    Array.from({ length: shape.reduce((p, n) => p * n) }, (_, i) => (((i + 1) * 1.236) % 2) - 1),
    shape,
  );

type Layer = (x: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor;

/** A layer, the shapes of its input and its filter, and whether TF.js has its second derivatives. */
type Row = [layer: Layer, x: Shape, filter: Shape, twice: boolean];

/** Layers that are padded by a number. */
const LAYERS: Record<string, Row> = {
  'a convolution whose last row of zeros is not reached': [
    (x, f) => tf.conv2d(x, f, 2, 2),
    [2, 8, 6, 3],
    [4, 3, 3, 5],
    true,
  ],
  'a convolution of stride 1': [(x, f) => tf.conv2d(x, f, 1, 1), [2, 5, 5, 2], [3, 3, 2, 4], true],
  'a transposed convolution': [
    (x, f) => tf.conv2dTranspose(x, f, [2, 8, 8, 3], 2, 1),
    [2, 4, 4, 5],
    [4, 4, 3, 5],
    true,
  ],
  'a convolution per channel': [
    (x, f) => tf.depthwiseConv2d(x, f, 2, 1),
    [2, 7, 7, 3],
    [3, 3, 3, 2],
    false,
  ],
  'a pooling by the largest': [
    (x, f) => tf.mul(tf.maxPool(x, 3, 2, 1), tf.mean(f)),
    [2, 7, 7, 3],
    [1, 1, 1, 1],
    false,
  ],
};

/** The layer, its gradients for both arguments, and those of a penalty of the first gradient. */
function values([layer, xShape, fShape, twice]: Row): number[][] {
  return tf.tidy(() => {
    const [x, filter] = [scattered(xShape), scattered(fShape)];
    const total: Layer = (v, f) => tf.sum(tf.square(layer(v, f)));
    const penalty = (v: tf.Tensor, f: tf.Tensor) => {
      const slope = tf.grad((u) => total(u as tf.Tensor4D, f as tf.Tensor4D))(v);
      return tf.sum(tf.square(slope));
    };
    const first = tf.grads((v, f) => total(v as tf.Tensor4D, f as tf.Tensor4D))([x, filter]);
    const second = twice ? [tf.grad((f) => penalty(x, f))(filter)] : [];
    return [layer(x, filter), ...first, ...second].map((t) => Array.from(t.dataSync()));
  });
}

test.each(Object.entries(LAYERS))(
  '%s padded by a number has the values of plain loops',
  async (_, row) => {
    loadTensorflow(); // with a backend cpu beside its own, in plain loops
    await tf.setBackend('tensorflow');
    padExplicitly('tensorflow');
    const found = values(row);
    await tf.setBackend('cpu');
    const expected = values(row);
    expect(found).toHaveLength(expected.length);
    expected.forEach((wanted, k) => {
      const largest = Math.max(...wanted.map(Math.abs));
      const worst = Math.max(...wanted.map((v, i) => Math.abs(v - (found[k]?.[i] as number))));
      expect(worst / largest).toBeLessThan(1e-5);
    });
  },
);

test.each<[string, (x: tf.Tensor4D) => tf.Tensor, RegExp]>([
  [
    'an average padded by a number',
    (x) => tf.avgPool(x, 3, 2, 1),
    /cannot pad this pooling by a number/,
  ],
  ['what has no kernel', (x) => tf.image.rotateWithOffset(x, 1), /has no kernel RotateWithOffset/],
  [
    'what TensorFlow refuses',
    (x) => tf.depthwiseConv2d(x, tf.ones([3, 3, 2, 1]), 1, 'same', 'NHWC', [2, 2]),
    /TensorFlow says ".*dilation/,
  ],
])('a step on TensorFlow with %s ends in a sentence', async (_, layer, reason) => {
  const step = await tensorflowStep(
    ({ state, batch }) => ({ state, metrics: { loss: tf.mean(layer(batch.x as tf.Tensor4D)) } }),
    { state: { w: spec([1]) }, batch: { x: spec([1, 6, 6, 2]) } },
    { device: 'cpu' },
  );
  const floats = (shape: number[], n: number) =>
    ({ dtype: 'float32', shape, data: new Float32Array(n) }) as const;
  step.load({ w: floats([1], 1) });
  const run = step.runAll([{ 'batch/x': floats([1, 6, 6, 2], 72) }]);
  await expect(run).rejects.toThrow(reason);
  await expect(run).rejects.toThrow(
    /^The engine tensorflow cannot run this training: .*\. Use the engine onnx\.$/,
  );
  await step.dispose();
});

test.each([
  ['dcgan-mnist', 1],
  ['wgan-gp-mnist', 1],
  ['infogan-mnist', 1],
  ['began-mnist', 1],
  ['gpn-mnist', 2],
])('ten steps of %s on TensorFlow have the losses of the compiled engine', (recipe, phases) => {
  const script = join(root, 'scripts/bench-engines.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, recipe, '--json'], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  const rows = JSON.parse(stdout) as { difference: number }[];
  expect(rows).toHaveLength(phases);
  for (const { difference } of rows) expect(difference).toBeLessThan(3e-3);
});

test('Ctrl-C stops a training on TensorFlow with a checkpoint, and the engine onnx goes on from there', async () => {
  const words = ['train', 'dcgan-mnist', '--out', 'run', '--device', 'cpu', '--json'];
  const child = spawn(process.execPath, [bin, ...words, '--engine', 'tensorflow'], {
    cwd: folder,
  });
  const { step } = await interrupted(child, join(folder, 'run'));
  const again = gpn(folder, ...words, '--resume', '--steps', String(step + 1));
  expect(again.code, again.stderr).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ type: 'done', step: step + 1 });
});

test('the doctor trains a step on TensorFlow', () => {
  const { code, stdout } = gpn(folder, 'doctor', '--json');
  expect(code).toBe(0);
  const { findings } = JSON.parse(stdout) as { findings: { name: string }[] };
  expect(findings.find(({ name }) => name === '@tensorflow/tfjs-node')).toMatchObject({
    state: 'ok',
    detail: expect.stringMatching(/^trained in \d+ ms/),
  });
});
