import { stream, UserError } from '@gpn/runtime';
import { expect, test } from 'vitest';
import { batches, epochOrder, gatherLabels } from '../../src/data/batches.js';
import { rowsAt } from '../../src/data/rows.js';
import type { Dataset } from '../../src/data/types.js';

const COUNT = 23;
const SIZE = 5; // four batches an epoch, three images left over

test('an epoch is the pinned permutation of its seed and number', () => {
  expect(epochOrder(7, 2, COUNT)).toEqual(stream(7, 'shuffle', 2).permutation(COUNT));
});

test('an epoch takes each image at most once and drops the last, partial batch', () => {
  const data = batches(7, COUNT, SIZE);
  expect(data.stepsPerEpoch).toBe(4);
  for (const epoch of [0, 1, 5]) {
    const seen = [0, 1, 2, 3].flatMap((batch) => [...data.indices(epoch * 4 + batch)]);
    expect(seen).toEqual([...epochOrder(7, epoch, COUNT).slice(0, 20)]);
    expect(new Set(seen).size).toBe(20);
    expect(Math.max(...seen)).toBeLessThan(COUNT);
  }
});

test('the place in the data is a function of the step', () => {
  const { position } = batches(0, COUNT, SIZE);
  expect([0, 3, 4, 9].map(position)).toEqual([
    { epoch: 0, batch: 0 },
    { epoch: 0, batch: 3 },
    { epoch: 1, batch: 0 },
    { epoch: 2, batch: 1 },
  ]);
});

test('a run resumed at any step sees the batches of an unbroken one', () => {
  const unbroken = batches(3, COUNT, SIZE);
  const all = Array.from({ length: 12 }, (_, step) => [...unbroken.indices(step)]);
  for (let from = 0; from < 12; from++) {
    const resumed = batches(3, COUNT, SIZE);
    for (let step = from; step < 12; step++) expect([...resumed.indices(step)]).toEqual(all[step]);
  }
  // And what is handed out is the caller's: writing to it changes no later batch.
  unbroken.indices(0).fill(0);
  expect([...unbroken.indices(0)]).toEqual(all[0]);
});

test('epochs and seeds differ', () => {
  const first = epochOrder(1, 0, 100);
  expect(epochOrder(1, 1, 100)).not.toEqual(first);
  expect(epochOrder(2, 0, 100)).not.toEqual(first);
});

test('fewer images than a batch is an error; exactly one batch is not', () => {
  expect(() => batches(0, 63, 64)).toThrow(
    new UserError(
      'The data set has 63 image(s), fewer than one batch of 64; make training.batch_size smaller.',
    ),
  );
  expect(batches(0, 64, 64).stepsPerEpoch).toBe(1);
});

test('batches are gathered image by image, channels last', () => {
  const shape = { name: 'tiny', hash: '', count: 3, height: 1, width: 2, channels: 3 };
  const images = Uint8Array.from({ length: 18 }, (_, i) => i);
  const data: Dataset = { ...shape, images, labels: Uint8Array.of(4, 5, 6) };
  expect([...rowsAt(data, [2, 0])]).toEqual([12, 13, 14, 15, 16, 17, 0, 1, 2, 3, 4, 5]);
  expect([...gatherLabels(data, Uint32Array.of(2, 0))]).toEqual([6, 4]);
  expect(() => gatherLabels({ ...data, labels: undefined }, [0])).toThrow(UserError);
});
