/** Small trials of a device; the expected results are computed here by plain loops. */
import { spec, trace } from '@gpn/export/trace';
import { Generator, latents, type ModelInfo, type OpenOptions, withModelInfo } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { ENGINES, type EngineName } from '../engine/choice.js';

type DeviceName = NonNullable<OpenOptions['device']>;

/** Milliseconds until the first result, and the largest absolute error. */
interface Outcome {
  readonly ms: number;
  readonly difference: number;
}

/** The result of a trial. */
export interface Trial {
  /** The device that was chosen, and the reason. */
  readonly device: string;
  readonly reason: string;
  readonly train: Outcome;
  /** Of the engine onnx alone: others only train. */
  readonly sample?: Outcome;
}

type Matrix = readonly (readonly number[])[];

/** Far above the rounding of float32, and far below the error of a wrong sum. */
const TOLERANCE = 1e-4;

const matrix = (rows: number, columns: number, phase: number): Matrix =>
  Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => Math.sin(phase + 3 * i + j)),
  );

const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) =>
    (b[0] ?? []).map((_, j) => row.reduce((sum, x, k) => sum + x * (b[k]?.[j] ?? 0), 0)),
  );

const transpose = (a: Matrix): Matrix => (a[0] ?? []).map((_, j) => a.map((row) => row[j] ?? 0));

const tensor = (a: Matrix) => ({
  dtype: 'float32' as const,
  shape: [a.length, a[0]?.length ?? 0],
  data: Float32Array.from(a.flat()),
});

const furthest = (found: ArrayLike<number>, expected: readonly number[]): number =>
  found.length === expected.length
    ? Math.max(...expected.map((x, i) => Math.abs(x - (found[i] as number))))
    : Number.POSITIVE_INFINITY;

/**
 * Runs one training step on a device, draws three images if the engine draws, and checks the results.
 *
 * @throws UserError if the device or the engine cannot be used; Error if it computes wrong numbers
 */
export async function tryDevice(device: DeviceName, engine: EngineName = 'onnx'): Promise<Trial> {
  const training = await timed(() => trainOnce(device, engine));
  const sampling = engine === 'onnx' && (await timed(() => sampleOnce(device)));
  for (const [what, outcome] of Object.entries({ training, sampling })) {
    // Not `>`, because NaN would pass.
    if (outcome && !(outcome.difference <= TOLERANCE)) {
      throw new Error(
        `${what} on ${device} is off by ${outcome.difference}, more than ${TOLERANCE}`,
      );
    }
  }
  const { device: chosen, reason } = training;
  const only = ({ ms, difference }: Outcome): Outcome => ({ ms, difference });
  const sample = sampling && { sample: only(sampling) };
  return { device: chosen, reason, train: only(training), ...sample };
}

async function timed<T>(task: () => Promise<T>): Promise<T & { ms: number }> {
  const begun = performance.now();
  const result = await task();
  return { ...result, ms: performance.now() - begun };
}

/** One step of gradient descent on the mean of (x·w − y)², whose gradient is 2/n · xᵀ(x·w − y). */
async function trainOnce(device: DeviceName, engine: EngineName) {
  const [x, w, y, rate] = [matrix(4, 3, 0), matrix(3, 2, 1), matrix(4, 2, 2), 0.5];
  const error = product(x, w).map((row, i) => row.map((v, j) => v - (y[i]?.[j] ?? 0)));
  const slope = product(transpose(x), error);
  const expected = w.flatMap((row, i) =>
    row.map((v, j) => v - (rate * 2 * (slope[i]?.[j] ?? 0)) / 8),
  );

  const step = await ENGINES[engine](
    ({ state, batch }) => {
      const lossOf = (w: tf.Tensor) =>
        tf.mean(tf.square(tf.sub(tf.matMul(batch.x, w), batch.y))) as tf.Scalar;
      const { value, grad } = tf.valueAndGrad(lossOf)(state.w);
      return { state: { w: tf.sub(state.w, tf.mul(rate, grad)) }, metrics: { loss: value } };
    },
    { state: { w: spec([3, 2]) }, batch: { x: spec([4, 3]), y: spec([4, 2]) } },
    { device, name: 'trial step' },
  );
  try {
    step.load({ w: tensor(w) });
    await step.run({ 'batch/x': tensor(x), 'batch/y': tensor(y) });
    const found = step.state().w?.data as Float32Array;
    return {
      device: step.device,
      reason: step.reason,
      difference: furthest(found, expected),
    };
  } finally {
    await step.dispose();
  }
}

/** Three images of 2 × 3 pixels from a generator of one layer, sigmoid(latents·weights). */
async function sampleOnce(device: DeviceName) {
  const weights = matrix(4, 6, 3);
  const { data } = tensor(weights);
  const { toBytes } = trace(
    ({ latent }) => ({
      image: tf.reshape(tf.sigmoid(tf.matMul(latent, tf.tensor2d(data, [4, 6]))), [-1, 2, 3, 1]),
    }),
    { latent: spec(['N', 4]) },
    { name: 'trial generator' },
  );
  const info: ModelInfo = {
    version: 1,
    name: 'trial',
    kind: 'generator',
    input: 'latent',
    output: 'image',
    image: { height: 2, width: 3, channels: 1, range: [0, 1], layout: 'NHWC', color: 'gray' },
    latent: { size: 4, distribution: 'uniform' },
  };
  const generator = await Generator.load(withModelInfo(toBytes(), info), { device });
  try {
    const images = await generator.sample({ count: 3, seed: 0 });
    const drawn = latents(info, 3, 0);
    const rows = [0, 4, 8].map((at) => Array.from(drawn.slice(at, at + 4)));
    const expected = product(rows, weights)
      .flat()
      .map((v) => 1 / (1 + Math.exp(-v)));
    return { difference: furthest(images.data, expected) };
  } finally {
    await generator.dispose();
  }
}
