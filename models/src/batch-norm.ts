import * as tf from '@tensorflow/tfjs-core';
import type { Applied, LayerPass, Tensors } from './network.js';

const EPSILON = 1e-5;
/** The share of the old running statistics that stays at each pass (PyTorch's momentum is 0.1). */
export const STATISTICS_KEPT = 0.9;

/**
 * Batch normalisation (Ioffe & Szegedy 2015), y = scale · (x − mean) / √(variance + ε) + offset,
 * over every axis but the last. In training mode mean and variance are the batch's, and the
 * running ones move towards them (the variance with Bessel's correction, as PyTorch has it).
 */
export function batchNormalize(
  params: Tensors,
  buffers: Tensors,
  x: tf.Tensor,
  { training }: LayerPass,
): Applied {
  const { scale, offset } = params as { scale: tf.Tensor1D; offset: tf.Tensor1D };
  const { mean, variance } = buffers as { mean: tf.Tensor1D; variance: tf.Tensor1D };
  if (!training)
    return { y: tf.batchNorm(x as tf.Tensor4D, mean, variance, offset, scale, EPSILON), buffers };
  const channels = x.shape.at(-1) as number;
  const count = x.size / channels;
  const rows = tf.reshape(x, [count, channels]);
  const batch = statistics(rows);
  const y = tf.reshape(normalizeRows(rows, scale, offset), x.shape);
  const bessel = count / Math.max(1, count - 1);
  return {
    y,
    buffers: { mean: moved(mean, batch.mean), variance: moved(variance, batch.variance, bessel) },
  };
}

/** A running statistic moved towards `times` the batch's. */
const moved = (running: tf.Tensor, now: tf.Tensor, times = 1): tf.Tensor =>
  tf.add(
    tf.mul(running, STATISTICS_KEPT),
    tf.mul(tf.reshape(now, running.shape), (1 - STATISTICS_KEPT) * times),
  );

/**
 * Means of the columns, [1, channels], as a product with a row: onnxruntime runs it on all threads, a
 * reduction over the leading axis on one.
 */
const columnMeans = (rows: tf.Tensor): tf.Tensor2D => {
  const count = rows.shape[0] as number;
  return tf.matMul(tf.fill([1, count], 1 / count), rows as tf.Tensor2D);
};

function statistics(rows: tf.Tensor) {
  const mean = columnMeans(rows);
  const centred = tf.sub(rows, mean);
  const variance = columnMeans(tf.square(centred));
  return { mean, centred, variance };
}

/**
 * The normalisation with its gradient in closed form (the paper's section 3, simplified): a third
 * of the operations that differentiating mean and variance step by step takes.
 */
const normalizeRows = (rows: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor =>
  tf.customGrad((x, s, o, save) => {
    const [rowsIn, scaleIn, offsetIn] = [x, s, o] as tf.Tensor[] as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const { centred, variance } = statistics(rowsIn);
    const deviation = tf.sqrt(tf.add(variance, EPSILON));
    const gain = tf.div(scaleIn, deviation);
    (save as tf.GradSaveFunc)([centred, deviation, gain]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [c, std, g] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
      // dx = gain · (dy − mean(dy) − x̂ · mean(dy · x̂)), x̂ = centred / deviation
      const alongMean = columnMeans(dy);
      const alongX = tf.div(columnMeans(tf.mul(dy, c)), std);
      const dx = tf.mul(tf.sub(tf.sub(dy, tf.mul(c, tf.div(alongX, std))), alongMean), g);
      const sum = (mean: tf.Tensor) => tf.mul(tf.reshape(mean, offsetIn.shape), rowsIn.shape[0]);
      return [dx, sum(alongX), sum(alongMean)];
    };
    return { value: tf.add(tf.mul(centred, gain), offsetIn), gradFunc };
  })(rows, scale, offset);
