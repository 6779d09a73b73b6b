import type { Tensor } from '@tensorflow/tfjs-core';
import { batchNorm, conv, dense, dropout, flatten, relu } from '../layers/index.js';
import { type Network, type Pass, prefixed, sequential, type Tensors, under } from '../network.js';

/** A classifier that also outputs the features that its last layer receives. */
export interface Judge extends Omit<Network, 'apply' | 'outputShape'> {
  readonly classes: number;
  /** Returns features, [N, 128 · width], and a logit for each class, [N, classes]. */
  apply(
    params: Tensors,
    buffers: Tensors,
    images: Tensor,
    pass: Pass,
  ): { readonly features: Tensor; readonly logits: Tensor; readonly buffers: Tensors };
}

/**
 * A small classifier of 28×28 grey images in [0, 1]. Its 128 features, none of which is negative,
 * are used to compare sets of images.
 */
export function judge({ classes = 10, width = 1 } = {}): Judge {
  const block = (k: number, s: number, p: number, channels: number) => [
    conv(k, s, p, channels * width),
    batchNorm(),
    relu(),
  ];
  const body = sequential(
    [28, 28, 1],
    [
      ...block(3, 1, 1, 16), //              28×28
      ...block(4, 2, 1, 32), //              14×14
      ...block(3, 1, 1, 64),
      ...block(4, 2, 1, 64), //              7×7
      ...block(3, 2, 1, 128), //             4×4
      ...[flatten(), dense(128 * width), relu()],
    ],
  );
  const head = sequential(body.outputShape, [dropout(0.4), dense(classes)]);
  return {
    classes,
    inputShape: body.inputShape,
    params: { ...prefixed('body', body.params), ...prefixed('head', head.params) },
    buffers: body.buffers,
    conditions: {},
    noise: head.noise,
    flops: [...body.flops, ...head.flops],
    apply(params, buffers, images, pass) {
      const { y: features, buffers: after } = body.apply(under('body', params), buffers, images, {
        training: pass.training,
      });
      const { y: logits } = head.apply(under('head', params), {}, features, pass);
      return { features, logits, buffers: after };
    },
  };
}
