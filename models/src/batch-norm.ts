import * as tf from '@tensorflow/tfjs-core';
import type { Applied, LayerPass, Tensors } from './network.js';
import { columnSums, longRows } from './rows.js';

const EPSILON = 1e-5;
/** The weight of the old running statistics in each update (PyTorch's momentum is 1 minus this). */
export const STATISTICS_KEPT = 0.9;

/**
 * Batch normalisation (Ioffe & Szegedy 2015), y = scale · (x − mean) / √(variance + ε) + offset,
 * over all axes but the last. In training mode mean and variance are those of the batch, and the
 * running statistics move towards them (the variance with Bessel's correction, as in PyTorch).
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
  const unbiased = tf.mul(batch.variance, count / Math.max(1, count - 1));
  return { y, buffers: { mean: moved(mean, batch.mean), variance: moved(variance, unbiased) } };
}

const moved = (running: tf.Tensor, now: tf.Tensor): tf.Tensor =>
  tf.add(tf.mul(running, STATISTICS_KEPT), tf.mul(now, 1 - STATISTICS_KEPT));

function statistics(rows: tf.Tensor) {
  const weight = 1 / (rows.shape[0] as number);
  const { joined, parted, repeated } = longRows(rows.shape as [number, number]);
  const mean = tf.mul(columnSums(rows), weight);
  const centred = tf.sub(joined(rows), repeated(mean));
  const variance = tf.mul(columnSums(parted(tf.square(centred))), weight);
  return { mean, centred, variance };
}

/**
 * The normalisation with its gradient in closed form (the paper's section 3, simplified). This takes
 * a third of the operations of differentiating mean and variance step by step.
 */
const normalizeRows = (rows: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor =>
  tf.customGrad((x, s, o, save) => {
    const [rowsIn, scaleIn, offsetIn] = [x, s, o] as tf.Tensor[] as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const { centred, variance } = statistics(rowsIn);
    const inverseStd = tf.rsqrt(tf.add(variance, EPSILON));
    const { joined, parted, repeated } = longRows(rowsIn.shape as [number, number]);
    const gain = repeated(tf.mul(inverseStd, scaleIn));
    (save as tf.GradSaveFunc)([centred, inverseStd, gain]);
    const count = rowsIn.shape[0] as number;
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [c, inv, g] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
      const dOffset = columnSums(dy);
      const slope = joined(dy);
      const dScale = tf.mul(columnSums(parted(tf.mul(slope, c))), inv);
      // dx = gain · (dy − mean(dy) − x̂ · mean(dy · x̂)), x̂ = centred · inverseStd
      const alongMean = tf.mul(dOffset, -1 / count);
      const alongX = tf.mul(tf.mul(dScale, inv), -1 / count);
      const towards = tf.add(tf.add(slope, tf.mul(c, repeated(alongX))), repeated(alongMean));
      return [parted(tf.mul(towards, g)), dScale, dOffset];
    };
    const value = parted(tf.add(tf.mul(centred, gain), repeated(offsetIn)));
    return { value, gradFunc };
  })(rows, scale, offset);
