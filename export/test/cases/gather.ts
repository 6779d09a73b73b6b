import * as tf from '@tensorflow/tfjs-core';
import { type Cases, floats, gradients, integers, of, uniform, whole } from './case.js';

const x = uniform([3, 4, 2]);
const places = integers([0, 2, 1, 1], [2, 2]);
const sorted = floats([1, 2, 4, 8, 9, 1, 3, 5, 7, 9], [2, 5]);

export const GATHERS: Cases = {
  Bincount: of(
    (v: tf.Tensor1D, w: tf.Tensor1D) => [tf.bincount(v, w, 4), tf.bincount(v, tf.tensor1d([]), 4)],
    integers([1, 1, 3, 0, 7]),
    uniform([5]),
  ),
  BroadcastArgs: of(
    (s: tf.Tensor, t: tf.Tensor) => tf.broadcastArgs(s, t),
    integers([3, 1, 5]),
    integers([4, 1]),
  ),
  Cumprod: of((v: tf.Tensor) => [tf.cumprod(v, 1), tf.cumprod(v, 0, true, true)], x),
  Cumsum: of((v: tf.Tensor) => [tf.cumsum(v, 1), tf.cumsum(v, 0, true, true)], x),
  DenseBincount: of(
    (v: tf.Tensor2D) => [
      tf.denseBincount(v, tf.tensor2d([], [0, 0]), 4),
      tf.denseBincount(v, tf.tensor2d([], [0, 0]), 4, true),
    ],
    integers([1, 1, 3, 0, 2, 2], [2, 3]),
  ),
  Diag: of((v: tf.Tensor) => tf.diag(v), uniform([2, 3])),
  GatherNd: of(tf.gatherND, x, places),
  GatherV2: of((v: tf.Tensor, i: tf.Tensor1D) => tf.gather(v, i, 1), x, places),
  'GatherV2 in batches': of(
    (v: tf.Tensor, i: tf.Tensor1D) => tf.gather(v, i, 2, 1),
    uniform([2, 3, 4]),
    whole([2, 2], 0, 4),
  ),
  OneHot: of((v: tf.Tensor) => tf.oneHot(v, 3, 5, -1), integers([0, 2, -1, 3])),
  ScatterNd: of(
    (i: tf.Tensor, u: tf.Tensor) => tf.scatterND(i, u, [4, 3]),
    integers([1, 3, 1], [3, 1]),
    uniform([3, 3]),
  ),
  SearchSorted: of(
    (s: tf.Tensor, v: tf.Tensor) => [tf.searchSorted(s, v, 'left'), tf.searchSorted(s, v, 'right')],
    sorted,
    floats([0, 2, 10, 5, 3, 6], [2, 3]),
  ),
  SparseToDense: of(
    (i: tf.Tensor, v: tf.Tensor, d: tf.Tensor) =>
      tf.sparseToDense(i as never, v as never, [5], d as never),
    integers([0, 3]),
    floats([1, 2]),
    floats([9], []),
  ),
  TensorScatterUpdate: of(
    (t: tf.Tensor, i: tf.Tensor, u: tf.Tensor) => tf.tensorScatterUpdate(t, i, u),
    uniform([4, 3]),
    integers([2, 0], [2, 1]),
    uniform([2, 3], 5, 6),
  ),
  TopK: of((v: tf.Tensor) => Object.values(tf.topk(v, 3)), uniform([2, 6])),
  UnsortedSegmentSum: of(
    (v: tf.Tensor, s: tf.Tensor1D) => tf.unsortedSegmentSum(v, s, 3),
    uniform([4, 2]),
    integers([2, 0, 2, -1]),
  ),
  Unique: of(
    (v: tf.Tensor) => {
      const { values, indices } = tf.unique(v);
      // What follows is of a size that is known only at run time.
      return [values, indices, tf.mul(tf.onesLike(values), 2), tf.sub(tf.max(values), values)];
    },
    integers([3, 1, 3, 2, 1, 7, 5, 5, 4, 3, 9, 8, 6, 3, 3, 1, 4, 1]),
  ),
  'Unique columns': of(
    (v: tf.Tensor) => Object.values(tf.unique(v, 1)),
    integers(
      Array.from({ length: 36 }, (_, i) => (i % 18) % 4),
      [2, 18],
    ),
  ),
  'UnsortedSegmentSum as the gradient of a lookup': of(
    gradients((v) => tf.gather(v, tf.tensor1d([1, 1, 0], 'int32'))),
    uniform([3, 2]),
  ),
};
