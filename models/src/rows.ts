/** Sums and products of rows and columns, in the forms that onnxruntime is fast at. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * Sums of the columns, as a product with a row of ones. onnxruntime uses all threads for a product,
 * but only one for a reduction over the leading axis.
 */
export const columnSums = (rows: tf.Tensor): tf.Tensor1D => {
  const [count, channels] = rows.shape as [number, number];
  return tf.reshape(tf.matMul(tf.ones([1, count]), rows as tf.Tensor2D), [channels]);
};

/** The row length below which the overhead per row dominates an elementwise operation. */
const MIN_ROW_LENGTH = 1024;

/**
 * Joins several short rows into one long row. What is added to every row, or multiplied with it, is
 * repeated as often. onnxruntime handles such operations row by row, and for a row of 32 numbers
 * the overhead takes longer than the arithmetic.
 */
export function longRows([count, channels]: readonly [number, number]) {
  let times = 1;
  while (times * channels < MIN_ROW_LENGTH && count % (2 * times) === 0) times *= 2;
  return {
    joined: (rows: tf.Tensor) => tf.reshape(rows, [count / times, times * channels]),
    parted: (stretch: tf.Tensor) => tf.reshape(stretch, [count, channels]),
    repeated: (row: tf.Tensor) => (times === 1 ? row : tf.tile(row, [times])),
  };
}
