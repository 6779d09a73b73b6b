import { batchNorm, conv, dense, dropout, flatten, maxPool, relu } from '../layers.js';
import { type Network, sequential } from '../network.js';

/** A classifier in two parts, so that what lies between them can be had for itself. */
export interface Judge {
  /** From images to the features that two sets of images are compared by. */
  readonly features: Network;
  /** From features to one logit a class. */
  readonly head: Network;
}

/** A small classifier of 28×28 grey images. */
export const judge = ({ classes = 10, width = 1 }: { classes?: number; width?: number }): Judge => {
  const block = (channels: number) => [conv(3, 1, 1, channels * width), batchNorm(), relu()];
  const features = sequential(
    [28, 28, 1],
    [
      ...[...block(32), maxPool(2)], //             14×14
      ...[...block(64), ...block(64), maxPool(2)], // 7×7
      ...[...block(128), maxPool(2)], //             3×3
      ...[flatten(), dense(128 * width), relu()], //  128
    ],
  );
  return { features, head: sequential(features.outputShape, [dropout(0.4), dense(classes)]) };
};
