import type { Tensor } from '@tensorflow/tfjs-core';
import { averagePool, batchNorm, conv, dense, dropout, flatten, relu } from '../layers/index.js';
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

/** What a judge is made for. */
export interface JudgeOptions {
  readonly classes?: number;
  /** Multiplies the channels. */
  readonly width?: number;
  /** Of the images; [28, 28, 1] by default. */
  readonly shape?: readonly [height: number, width: number, channels: number];
}

/** Larger images are made smaller by averaging, because their features are of the same sizes. */
const LARGEST = 64;
/** The side at which the features are flattened, but for one more convolution. */
const SMALLEST = 7;

/**
 * A small classifier of images in [0, 1]. Its 128 features, none of which is negative, are used to
 * compare sets of images.
 */
export function judge({ classes = 10, width = 1, shape = [28, 28, 1] }: JudgeOptions = {}): Judge {
  const block = (k: number, s: number, p: number, channels: number) => [
    conv(k, s, p, channels * width),
    batchNorm(),
    relu(),
  ];
  const side = Math.min(shape[0], shape[1]);
  const [averaged, shown] = halvings(side, LARGEST);
  const [strides] = halvings(shown, SMALLEST);
  const later = Array.from({ length: strides - 1 }, (_, k) => Math.min(128, 64 * 2 ** k));
  const body = sequential(
    [...shape],
    [
      ...Array.from({ length: averaged }, () => averagePool(2)),
      ...block(3, 1, 1, 16), //                           28×28, to name the sizes of the default
      ...(strides > 0 ? block(4, 2, 1, 32) : []), //      14×14
      ...block(3, 1, 1, 64),
      ...later.flatMap((channels) => block(4, 2, 1, channels)), // 7×7
      ...block(3, 2, 1, 128), //                          4×4
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

/** How often a side must be halved not to be larger than `most`, and what it is then. */
function halvings(side: number, most: number): [times: number, side: number] {
  if (side <= most) return [0, side];
  const [times, left] = halvings(Math.floor(side / 2), most);
  return [times + 1, left];
}
