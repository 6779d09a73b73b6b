/**
 * Batches as a pure function of (seed, step): a run that was stopped and resumed sees the very
 * batches that an unbroken one sees.
 */
import { stream, UserError } from '@gpn/runtime';
import { gather } from './images.js';
import type { Dataset } from './types.js';

/** A place in the data: batch `batch` of pass `epoch`, both from 0. */
export interface Position {
  epoch: number;
  batch: number;
}

/** How a data set of `count` images is cut into batches. Steps, epochs and batches count from 0. */
export interface Batches {
  stepsPerEpoch: number;
  position(step: number): Position;
  /** The images of the step's batch, as indices into the data set. */
  indices(step: number): Uint32Array;
}

/** The order of the images in an epoch: a permutation of 0 … count − 1. */
export const epochOrder = (seed: number, epoch: number, count: number): Uint32Array =>
  stream(seed, 'shuffle', epoch).permutation(count);

/**
 * Every epoch takes the images in a new order; its last, partial batch is dropped.
 *
 * @throws UserError when there are fewer images than one batch
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
  let kept: { epoch: number; order: Uint32Array } = { epoch: -1, order: new Uint32Array() }; // an order costs more than a step's lookup
  const indices = (step: number) => {
    const { epoch, batch } = position(step);
    if (epoch !== kept.epoch) kept = { epoch, order: epochOrder(seed, epoch, count) };
    return kept.order.slice(batch * batchSize, (batch + 1) * batchSize);
  };
  return { stepsPerEpoch, position, indices };
}

/** The pixels of some images, NHWC. They stay bytes: the training graph maps them to its range. */
export const gatherBatch = (data: Dataset, indices: ArrayLike<number>): Uint8Array =>
  gather(data.images, data.height * data.width * data.channels, indices);

/**
 * The labels of some images.
 *
 * @throws UserError when the data set has none
 */
export function gatherLabels(data: Dataset, indices: ArrayLike<number>): Uint8Array {
  if (data.labels === undefined) {
    throw new UserError(`${data.name} has no labels; a conditional network needs them.`);
  }
  return gather(data.labels, 1, indices);
}
