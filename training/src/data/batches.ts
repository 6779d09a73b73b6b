/**
 * Batches as a pure function of (seed, step), so a resumed run sees the same batches as an
 * uninterrupted one.
 */
import { stream, UserError } from '@gpn/runtime';
import { gather } from './rows.js';
import type { Images } from './types.js';

/** A position in the data: batch `batch` of epoch `epoch`, both counted from 0. */
export interface Position {
  epoch: number;
  batch: number;
}

/** How a data set is divided into batches. Steps, epochs and batches are counted from 0. */
export interface Batches {
  stepsPerEpoch: number;
  position(step: number): Position;
  /** The indices of the step's images in the data set. */
  indices(step: number): Uint32Array;
}

/** The order of the images in an epoch, a permutation of 0 … count − 1. */
export const epochOrder = (seed: number, epoch: number, count: number): Uint32Array =>
  stream(seed, 'shuffle', epoch).permutation(count);

/**
 * Divides `count` images into batches. Each epoch has a new order; the last, partial batch is dropped.
 *
 * @throws UserError if there are fewer images than one batch
 */
export function batches(seed: number, count: number, batchSize: number): Batches {
  if (count < batchSize) {
    throw new UserError(
      `The data set has ${count} image(s), fewer than one batch of ${batchSize}; make training.batch_size smaller.`,
    );
  }
  const stepsPerEpoch = Math.floor(count / batchSize);
  const position = (step: number): Position => ({
    epoch: Math.floor(step / stepsPerEpoch),
    batch: step % stepsPerEpoch,
  });
  let kept: { epoch: number; order: Uint32Array } = { epoch: -1, order: new Uint32Array() }; // drawing an order is slow
  const indices = (step: number) => {
    const { epoch, batch } = position(step);
    if (epoch !== kept.epoch) kept = { epoch, order: epochOrder(seed, epoch, count) };
    return kept.order.slice(batch * batchSize, (batch + 1) * batchSize);
  };
  return { stepsPerEpoch, position, indices };
}

/**
 * The labels of some images, one byte for each.
 *
 * @throws UserError if the data set has no labels
 */
export function gatherLabels(
  data: Pick<Images, 'name' | 'labels'>,
  indices: ArrayLike<number>,
): Uint8Array {
  if (data.labels === undefined) {
    throw new UserError(`${data.name} has no labels; a conditional network needs them.`);
  }
  return gather(data.labels, 1, indices);
}
