/**
 * Operations of graph models that TF.js 4.22 computes otherwise than TensorFlow, from which the models
 * come, or not at all. TensorFlow's values are in test/models.
 */

import { type GraphNode, registerOp } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { RANDOM_OPS } from './draws.js';
import { groupedConv2d, type Padding } from './grouped-conv.js';

type Executor = (node: GraphNode) => tf.Tensor | tf.Tensor[];

/** Whether images are channels-first; TF.js gives words of attributes in small letters. */
const isChannelsFirst = ({ attrs }: GraphNode): boolean => attrs.data_format === 'nchw';

/** Runs a function of channels-last images, whatever the node's layout is. */
function onChannelsLast(node: GraphNode, f: (x: tf.Tensor4D) => tf.Tensor): tf.Tensor {
  const [x] = node.inputs as [tf.Tensor4D];
  return isChannelsFirst(node)
    ? tf.transpose(f(tf.transpose(x, [0, 2, 3, 1])), [0, 3, 1, 2])
    : f(x);
}

/**
 * As in training, the statistics may be those of the images themselves: so Keras normalises a layer.
 * TF.js takes the ones that are not there, and all images for channels-last.
 */
const batchNorm: Executor = (node) => {
  const [, scale, offset, mean, variance] = node.inputs as tf.Tensor1D[];
  const { epsilon, is_training: ofImages } = node.attrs;
  return onChannelsLast(node, (x) => {
    const own = ofImages ? tf.moments(x, [0, 1, 2]) : { mean, variance };
    const [m, v] = [own.mean, own.variance] as [tf.Tensor1D, tf.Tensor1D];
    return tf.batchNorm(x, m, v, offset, scale, epsilon as number);
  });
};

const numbers = (value: unknown): number[] => (value ?? []) as number[];

/** What an attribute of four numbers says of height and width. */
const ofSides = (node: GraphNode, key: string): [number, number] => {
  const [, a = 1, b = 1, c = 1] = numbers(node.attrs[key]);
  return isChannelsFirst(node) ? [b, c] : [a, b];
};

function paddingOf(node: GraphNode): Padding {
  const { padding, explicit_paddings: pads } = node.attrs;
  if (padding !== 'explicit') return padding as Padding;
  const pairs = [0, 1, 2, 3].map((i) => numbers(pads).slice(2 * i, 2 * i + 2));
  const sides = isChannelsFirst(node) ? pairs.slice(2) : pairs.slice(1, 3);
  return [[0, 0], ...sides, [0, 0]] as tf.backend_util.ExplicitPadding;
}

/** TF.js refuses a filter that sees a part of the channels, and takes other strides for channels-first. */
const conv2d: Executor = (node) => {
  const { inputs, attrs } = node;
  const [, filter, ...rest] = inputs as [tf.Tensor4D, tf.Tensor4D, ...tf.Tensor[]];
  const fused = ((attrs.fused_ops ?? []) as string[]).filter((op) => op !== 'noop');
  const bias = fused.includes('biasadd') ? rest.shift() : undefined;
  const activation = (fused.find((op) => op !== 'biasadd') ??
    'linear') as tf.backend_util.Activation;
  const [slopes] = rest;
  const slope = attrs.leakyrelu_alpha as number;
  const sizes = {
    strides: ofSides(node, 'strides'),
    dilations: ofSides(node, 'dilations'),
    pad: paddingOf(node),
  };
  return onChannelsLast(node, (x) => {
    if (x.shape[3] !== filter.shape[2]) {
      const y = groupedConv2d(x, filter, sizes);
      const shifted = bias ? tf.add(y, bias) : y;
      return tf.backend_util.applyActivation(shifted, activation, slopes as tf.Tensor, slope);
    }
    return tf.fused.conv2d({
      ...{ x, filter, ...sizes, activation, leakyreluAlpha: slope },
      pad: sizes.pad as number,
      ...(bias && { bias }),
      ...(slopes && { preluActivationWeights: slopes }),
    });
  });
};

/** Operations that TF.js does not know, in terms of those that it does. */
const SMALL: Readonly<Record<string, Executor>> = {
  Erfc: ({ inputs: [x] }) => tf.sub(1, tf.erf(x as tf.Tensor)),
};

const OPS: Readonly<Record<string, Executor>> = {
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  Conv2D: conv2d,
  _FusedConv2D: conv2d,
  ...SMALL,
  ...RANDOM_OPS,
};

/** Mends TF.js's operations, for all graph models that this process loads from now on. */
export function mendOps(): void {
  for (const [name, executor] of Object.entries(OPS)) registerOp(name, executor);
}
