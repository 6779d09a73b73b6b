import * as tf from '@tensorflow/tfjs-core';
import type { TraceBackend } from '../../trace/backend.js';
import { recordLoop } from '../../trace/loop.js';
import { rangeTensor } from '../../trace/unknown-sizes.js';

interface Limits {
  /** How many boxes are wanted. */
  readonly most: number;
  /** From which overlap on a box is left out. */
  readonly overlap: number;
  /** A box has to have a higher score. */
  readonly score: number;
  readonly sigma: number;
}

/** The score of a box that is taken, or left out. */
const OUT = Number.NEGATIVE_INFINITY;

/** The share of their union that each of the boxes [n, 4] has in common with one, [4]. */
function overlaps(boxes: tf.Tensor, one: tf.Tensor): tf.Tensor {
  const corners = (t: tf.Tensor): tf.Tensor[] => {
    const [ya, xa, yb, xb] = tf.unstack(t, -1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    return [tf.minimum(ya, yb), tf.minimum(xa, xb), tf.maximum(ya, yb), tf.maximum(xa, xb)];
  };
  const [top, left, bottom, right] = corners(boxes) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const [t, l, b, r] = corners(one) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const side = (low: tf.Tensor, high: tf.Tensor): tf.Tensor => tf.relu(tf.sub(high, low));
  const areas = tf.mul(side(top, bottom), side(left, right));
  const area = tf.mul(side(t, b), side(l, r));
  const common = tf.mul(
    side(tf.maximum(top, t), tf.minimum(bottom, b)),
    side(tf.maximum(left, l), tf.minimum(right, r)),
  );
  return tf.divNoNan(common, tf.sub(tf.add(areas, area), common));
}

/**
 * Soft non-maximum suppression (Bodla et al., 2017): the box of the highest score is taken and lowers the
 * scores of those that it overlaps, until enough are taken or no score is high enough.
 * @returns the places of the boxes, and their scores when they were taken
 */
export function softSuppression(
  boxes: tf.Tensor2D,
  scores: tf.Tensor1D,
  { most, overlap, score, sigma }: Limits,
): [tf.Tensor, tf.Tensor] {
  const slots = (): tf.Tensor => tf.range(0, most, 1, 'int32');
  const goesOn = ([left, , , count]: readonly tf.Tensor[]): tf.Tensor =>
    tf.logicalAnd(
      tf.greater(tf.max(left as tf.Tensor), score),
      tf.less(count as tf.Tensor, tf.scalar(most, 'int32')),
    );
  const round = ([left, places, kept, count]: readonly tf.Tensor[]): tf.Tensor[] => {
    const [live, number] = [left, count] as [tf.Tensor1D, tf.Tensor];
    const place = tf.argMax(live);
    const here = tf.equal(slots(), number);
    const common = overlaps(boxes, tf.gather(boxes, place));
    const own = tf.equal(tf.range(0, boxes.shape[0], 1, 'int32'), place);
    const stays = tf.logicalAnd(
      tf.logicalAnd(tf.greater(live, OUT), tf.less(common, overlap)),
      tf.logicalNot(own),
    );
    const lowered = tf.mul(live, tf.exp(tf.mul(tf.square(common), -0.5 / sigma)));
    return [
      tf.where(stays, lowered, tf.fill(live.shape, OUT)),
      tf.where(here, place, places as tf.Tensor),
      tf.where(here, tf.max(live), kept as tf.Tensor),
      tf.add(number, tf.scalar(1, 'int32')),
    ];
  };
  const start = [
    tf.where(tf.greater(scores, score), scores, tf.fill(scores.shape, OUT)),
    tf.zeros([most], 'int32'),
    tf.zeros([most]),
    tf.scalar(0, 'int32'),
  ];
  const backend = tf.backend() as TraceBackend;
  const rounds = { test: goesOn, step: round };
  const [, places, kept, count] = recordLoop(backend, start, goesOn(start), rounds, false) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const zero = tf.scalar(0, 'int32');
  const found = rangeTensor(
    zero,
    tf.minimum(count, tf.scalar(most, 'int32')),
    tf.scalar(1, 'int32'),
  ) as tf.Tensor1D;
  return [tf.gather(places, found), tf.gather(kept, found)];
}
