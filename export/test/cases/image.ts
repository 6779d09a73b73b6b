import * as tf from '@tensorflow/tfjs-core';
import { type Cases, floats, gradients, integers, of, uniform, whole } from './case.js';

const images = uniform([2, 4, 5, 3]);
type Images = tf.Tensor4D;

// TF.js's cpu kernels of the gradients mistake height for width, and images of a batch for each
// other; that of Transform does the first image alone. These do not show it.
const square = uniform([1, 4, 4, 3]);
const one = uniform([1, 4, 5, 3]);
const boxes = floats([0, 0, 1, 1, 0.1, 0.2, 0.9, 0.8, -0.5, 0, 1.2, 1], [3, 4]);
const maps = floats([0.83, 0.217, -1.37, 0.113, 1.21, -0.71, 0.011, 0.023], [1, 8]);
const two = floats([...maps.data, 1, 0.1, 0.3, -0.2, 0.9, 0.4, 0, 0], [2, 8]);
const clusters = floats([0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 3, 1, 4, 0, 3.1, 1, 4.1], [4, 4]);
const crowdScores = uniform([40], 0, 1);
const crowd = floats(
  Array.from({ length: 40 }, (_, i) => {
    const [y, x] = [(i * 0.61803) % 2, (i * 0.41421) % 2];
    return [y, x, y + 1, x + 1];
  }).flat(),
  [40, 4],
);

const transform =
  (interpolation: 'nearest' | 'bilinear', fill: 'constant' | 'reflect' | 'wrap' | 'nearest') =>
  (x: Images, map: tf.Tensor2D) =>
    tf.image.transform(x, map, interpolation, fill, 0.25, [6, 5]);

export const IMAGES: Cases = {
  CropAndResize: of(
    (x: Images, b: tf.Tensor2D, i: tf.Tensor1D) => [
      tf.image.cropAndResize(x, b, i, [3, 4], 'bilinear', 0.5),
      tf.image.cropAndResize(x, b, i, [2, 1], 'nearest', 0.5),
    ],
    images,
    boxes,
    integers([0, 1, 1]),
  ),
  NonMaxSuppressionV4: of(
    (b: tf.Tensor2D, s: tf.Tensor1D) =>
      Object.values(tf.image.nonMaxSuppressionPadded(b, s, 4, 0.5, 0, true)),
    clusters,
    floats([0.6, 0.9, 0.5, 0.8]),
  ),
  NonMaxSuppressionV3: of(
    (b: tf.Tensor2D, s: tf.Tensor1D) => {
      const kept = tf.image.nonMaxSuppression(b, s, 30, 0.5, 0.55);
      return [kept, tf.gather(b, kept), tf.pad(tf.gather(s, kept), [[0, 30 - kept.size]])];
    },
    crowd,
    crowdScores,
  ),
  'NonMaxSuppressionV4 without padding': of(
    (b: tf.Tensor2D, s: tf.Tensor1D) =>
      Object.values(tf.image.nonMaxSuppressionPadded(b, s, 3, 0.5, 0, false)),
    clusters,
    floats([0.6, 0.9, 0.5, 0.8]),
  ),
  NonMaxSuppressionV5: of(
    (b: tf.Tensor2D, s: tf.Tensor1D) =>
      Object.values(tf.image.nonMaxSuppressionWithScore(b, s, 30, 0.4, 0.3)),
    crowd,
    crowdScores,
  ),
  ResizeBilinear: of(
    (x: Images) => [
      tf.image.resizeBilinear(x, [8, 7]),
      tf.image.resizeBilinear(x, [3, 10], true),
      tf.image.resizeBilinear(x, [9, 3], false, true),
    ],
    images,
  ),
  ResizeBilinearGrad: of(
    gradients((x) => tf.image.resizeBilinear(x as Images, [7, 3])),
    square,
  ),
  ResizeNearestNeighbor: of(
    (x: Images) => [
      tf.image.resizeNearestNeighbor(x, [8, 15]),
      tf.image.resizeNearestNeighbor(x, [8, 10], false, true),
      tf.image.resizeNearestNeighbor(x, [7, 3], true),
      tf.image.resizeNearestNeighbor(x, [3, 9]),
    ],
    images,
  ),
  'ResizeNearestNeighbor of integers': of(
    (x: Images) => tf.image.resizeNearestNeighbor(x, [4, 4]),
    whole([1, 2, 2, 3]),
  ),
  ResizeNearestNeighborGrad: of(
    gradients((x) => tf.image.resizeNearestNeighbor(x as Images, [8, 10])),
    square,
  ),
  RotateWithOffset: of((x: Images) => tf.image.rotateWithOffset(x, 0.4, 0.5, 0.5), images),
  'Transform, bilinear': of(transform('bilinear', 'constant'), one, maps),
  'Transform of two images': {
    fn: transform('bilinear', 'constant'),
    inputs: [images, two],
    oracle: (x: Images, map: tf.Tensor2D) =>
      tf.concat(
        tf.split(x, 2).map((image, i) => {
          const [row] = tf.split(map, 2).slice(i) as [tf.Tensor2D];
          return transform('bilinear', 'constant')(image as Images, row);
        }),
      ),
  },
  'Transform, reflecting': of(transform('nearest', 'reflect'), one, maps),
  'Transform, wrapping': of(transform('nearest', 'wrap'), one, maps),
  'Transform to the nearest edge': of(transform('bilinear', 'nearest'), one, maps),
};
