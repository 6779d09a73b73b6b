import * as tf from '@tensorflow/tfjs-core';
import { type Cases, constant, kernel, of, uniform, whole } from './case.js';

const x = uniform([2, 3, 4]);
const images = uniform([2, 4, 6, 3]);

export const SHAPES: Cases = {
  BatchToSpaceND: of(
    (v: tf.Tensor4D) =>
      tf.batchToSpaceND(
        v,
        [2, 2],
        [
          [0, 1],
          [1, 0],
        ],
      ),
    uniform([4, 2, 3, 2]),
  ),
  BroadcastTo: {
    fn: (v: tf.Tensor) => kernel('BroadcastTo', { x: v }, { shape: [2, 3, 4] }),
    inputs: [uniform([3, 1])],
    oracle: (v: tf.Tensor) => tf.broadcastTo(v, [2, 3, 4]),
  },
  Concat: of((v: tf.Tensor, w: tf.Tensor) => tf.concat([v, w], 1), x, uniform([2, 2, 4])),
  'Concat with an empty tensor': of((v: tf.Tensor) => tf.concat([v, tf.zeros([2, 0, 4])], 1), x),
  DepthToSpace: of((v: tf.Tensor4D) => tf.depthToSpace(v, 2), uniform([2, 2, 3, 8])),
  ExpandDims: of((v: tf.Tensor) => tf.expandDims(v, -2), x),
  Fill: of((v: tf.Tensor) => tf.add(v, tf.fill([3, 1], 2.5)), x),
  FlipLeftRight: of((v: tf.Tensor4D) => tf.image.flipLeftRight(v), images),
  Identity: of((v: tf.Tensor) => tf.add(tf.clone(v), 1), x),
  MirrorPad: of(
    (v: tf.Tensor) => [
      tf.mirrorPad(
        v,
        [
          [0, 1],
          [2, 1],
          [1, 3],
        ],
        'reflect',
      ),
      tf.mirrorPad(
        v,
        [
          [2, 1],
          [3, 0],
          [0, 2],
        ],
        'symmetric',
      ),
    ],
    x,
  ),
  OnesLike: of((v: tf.Tensor) => tf.add(v, tf.onesLike(v)), x),
  Pack: of((v: tf.Tensor, w: tf.Tensor) => tf.stack([v, w], 1), x, x),
  PadV2: of(
    (v: tf.Tensor) =>
      tf.pad(
        v,
        [
          [0, 1],
          [2, 0],
          [1, 1],
        ],
        7,
      ),
    x,
  ),
  Reshape: of((v: tf.Tensor) => tf.reshape(v, [4, -1]), x),
  Reverse: of((v: tf.Tensor) => tf.reverse(v, [0, -1]), x),
  Slice: of((v: tf.Tensor) => tf.slice(v, [0, 1], [2, -1]), x),
  SpaceToBatchND: of(
    (v: tf.Tensor4D) =>
      tf.spaceToBatchND(
        v,
        [2, 2],
        [
          [0, 0],
          [1, 1],
        ],
      ),
    images,
  ),
  SplitV: of((v: tf.Tensor) => tf.split(v, [1, 3], 2), x),
  StridedSlice: of(
    (v: tf.Tensor) => [
      tf.stridedSlice(v, [0, 2, 3], [2, -4, 0], [1, -1, -2]),
      tf.stridedSlice(v, [1, 0, 1], [2, 3, 4], [1, 1, 1], 0, 0, 0, 0, 1),
    ],
    x,
  ),
  Tile: of((v: tf.Tensor) => tf.tile(v, [1, 2, 3]), x),
  Transpose: of((v: tf.Tensor) => tf.transpose(v, [2, 0, 1]), whole([2, 3, 4])),
  Unpack: of((v: tf.Tensor) => tf.unstack(v, 1), x),
  ZerosLike: of((v: tf.Tensor) => tf.concat([v, tf.zerosLike(v)]), x),
  'Range and LinSpace, which fold': of(
    (v: tf.Tensor) => tf.add(tf.mul(v, tf.range(0, 4)), tf.linspace(0, 1, 4)),
    x,
  ),
  'constants fold': of((v: tf.Tensor) => tf.add(v, tf.sin(constant(uniform([4])))), x),
};
