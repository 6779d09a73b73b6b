import * as tf from '@tensorflow/tfjs-core';

export type Padding = 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;

interface Sizes {
  readonly strides: [number, number];
  readonly pad: Padding;
  readonly dilations: [number, number];
}

/** The kernel by which the recorder writes all groups as one operator; other backends have none. */
const KERNEL = 'GroupedConv2D';

/**
 * A convolution in groups of channels-last images, which TF.js lacks. The filter is [height, width,
 * in / groups, out]: how many channels it sees says how many groups there are.
 */
export function groupedConv2d(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  { strides, pad, dilations }: Sizes,
): tf.Tensor4D {
  const groups = x.shape[3] / filter.shape[2];
  if (tf.getKernel(KERNEL, tf.getBackend())) {
    const attrs = { strides, pad, dilations, groups, dataFormat: 'NHWC' };
    return tf.engine().runKernel(KERNEL, { x, filter }, attrs as never) as tf.Tensor4D;
  }
  const [images, filters] = [tf.split(x, groups, 3), tf.split(filter, groups, 3)];
  return tf.concat<tf.Tensor4D>(
    images.map((part, i) =>
      tf.conv2d(part as tf.Tensor4D, filters[i] as tf.Tensor4D, strides, pad, 'NHWC', dilations),
    ),
    3,
  );
}
