import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gpn/runtime';
import { expect, test } from 'vitest';
import { loadDataset } from '../../src/data/sets/dataset.js';
import { loadFashion } from '../../src/data/sets/fashion.js';
import { temporaryFolder } from '../temp-folder.js';

const SIZE = { height: 28, width: 28, channels: 1 };
const installed = await access('/usr/share/datasets/fashion-mnist').then(
  () => true,
  () => false,
);

// What it needs is Debian's package, which the tests must do without where there is none.
test.runIf(installed)('Fashion-MNIST has 70,000 pictures of clothes', async () => {
  const train = await loadDataset('fashion', SIZE);
  expect(train).toMatchObject({ name: 'fashion', count: 60_000, ...SIZE });
  // The first of the training set are an ankle boot and two T-shirts, as the paper's table shows.
  expect([...(train.labels ?? []).slice(0, 3)]).toEqual([9, 0, 0]);
  expect(train.classes?.[9]).toBe('ankle boot');
  const data = await loadDataset('fashion', { ...SIZE, split: 'test' });
  expect(data.count).toBe(10_000);
  // Each class has a thousand.
  expect(data.labels?.filter((label) => label === 6).length).toBe(1000);
});

test('a missing Fashion-MNIST is refused with how to get it', async () => {
  const nowhere = join(await temporaryFolder(), 'nowhere');
  const error = await loadFashion('train', nowhere).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  expect(message).toMatch(
    /^Fashion-MNIST is not installed: .*apt-get install dataset-fashion-mnist/,
  );
  expect(message).toContain('--data FOLDER');
});
