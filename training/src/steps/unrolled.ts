/** What the discriminator will be after more updates, as a function of the images that it learns from. */
import type { Tensors } from '@gpn/models';
import * as tf from '@tensorflow/tfjs-core';
import { mapRecord } from '../records.js';
import { differentiate } from './gradients.js';

/** A network's weights and the state of its optimiser. */
interface Learner {
  readonly params: Tensors;
  readonly optimizer: Tensors;
}

/**
 * The weights after some more updates (Metz et al. 2017, equations 7 to 9). They can be differentiated by
 * whatever the loss depends on, through all updates, but for the squares by which Adam scales its steps:
 * these count as constants, because the root of one that is zero has no slope.
 *
 * @param loss of the weights. Its layers must have correct second derivatives in TF.js, as for the
 *   gradient penalty; batch and spectral normalisation have not
 * @param update the optimiser's update; `squared` are the gradients whose squares it averages
 */
export function unrolled(
  learner: Learner,
  count: number,
  loss: (params: Tensors) => tf.Tensor,
  update: (from: Learner, grads: Tensors, squared: Tensors) => Learner,
): Tensors {
  if (count > 0) withFilterGradient();
  let { params, optimizer } = learner;
  for (let k = 0; k < count; k++) {
    const { grads } = differentiate((values) => ({ loss: loss(values), aux: {} }), params);
    ({ params, optimizer } = update({ params, optimizer }, grads, mapRecord(grads, constant)));
  }
  return params;
}

/** The same values, through which no gradient flows. */
const constant = (x: tf.Tensor): tf.Tensor =>
  tf.customGrad((y) => ({
    value: tf.clone(y as tf.Tensor),
    gradFunc: (dy) => tf.zerosLike(dy),
  }))(x);

/**
 * Gives TF.js the gradient of a convolution's gradient by its filter, which it lacks. The latter is linear in
 * the images and in the gradient of the maps: those of it are a transposed convolution and a convolution.
 */
function withFilterGradient(): void {
  if (tf.getGradient(tf.Conv2DBackpropFilter)) return;
  tf.registerGradient({
    kernelName: tf.Conv2DBackpropFilter,
    inputsToSave: ['x', 'dy'],
    gradFunc: (ddw, saved, attrs) => {
      const [x, dy] = saved as [tf.Tensor4D, tf.Tensor4D];
      const { strides, pad } = attrs as unknown as Windows;
      const filter = ddw as tf.Tensor4D;
      return {
        x: () => tf.conv2dTranspose(dy, filter, x.shape, strides, pad),
        dy: () => tf.conv2d(x, filter, strides, pad),
      };
    },
  });
}

/** How the windows of a convolution lie. */
interface Windows {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number;
}
