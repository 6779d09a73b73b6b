/** What steps are fed is the same, whoever puts it together, and in whatever groups. */
import { stream } from '@gpn/runtime';
import { expect, it } from 'vitest';
import { shareImages } from '../src/data/images.js';
import type { Dataset } from '../src/data/types.js';
import type { State } from '../src/engine/types.js';
import { ganOf } from '../src/recipe/gan.js';
import { resolveRecipe } from '../src/recipe/load.js';
import { ahead, direct, type Feeder } from '../src/run/feeder.js';
import { feedsOf, partsOf } from '../src/run/progress.js';

// As it is built: a thread cannot run the sources.
const built: typeof import('../src/run/feeder.js') = await import(
  new URL('../dist/run/feeder.js', import.meta.url).href
);

const COUNT = 40;
const dataset: Dataset = shareImages({
  ...{ name: 'dots', hash: '', count: COUNT, height: 28, width: 28, channels: 1 },
  images: Uint8Array.from(stream(0, 'dots').below(COUNT * 784, 256)),
  labels: Uint8Array.from({ length: COUNT }, (_, n) => n % 10),
  classes: [...'0123456789'],
});

it.each([
  'cdcgan-mnist',
  'wgan-gp-mnist',
  'infogan-mnist-supervised',
  'infogan-mnist',
  'began-mnist',
  'gpn-mnist',
  'gpn-mnist-large',
])('a thread feeds %s what this one would', async (name) => {
  const recipe = resolveRecipe(name, { steps: 20, batchSize: 8 });
  const parts = partsOf(ganOf(recipe).phases, dataset);
  const feeder = built.openFeeder(recipe, dataset, []);
  try {
    for (const { from, to } of parts) {
      const count = Math.min(to - from, 3);
      expect(await feeder.feeds(from, count)).toEqual(feedsOf(parts, from, count));
      expect(await feeder.feeds(to - 1, 1)).toEqual(feedsOf(parts, to - 1, 1));
    }
  } finally {
    await feeder.dispose();
  }
});

it('the feeder hands on what goes wrong in the thread, then and later', async () => {
  const recipe = resolveRecipe('gan-mnist', { steps: 20, batchSize: 8 });
  const feeder = built.openFeeder(recipe, { ...dataset, count: 7 }, []);
  await expect(feeder.feeds(0, 1)).rejects.toThrow('fewer than one batch of 8');
  await expect(feeder.feeds(0, 1)).rejects.toThrow('fewer than one batch of 8');
  await feeder.dispose();
});

/** A feeder whose feeds say which step they are for. */
function labelled() {
  const asked: [number, number][] = [];
  const feeder: Feeder = {
    async feeds(step, count) {
      asked.push([step, count]);
      return Array.from({ length: count }, (_, i) => ({ step: step + i }) as unknown as State);
    },
    dispose: async () => {},
  };
  return { asked, feeder };
}

it('the feeder reads on from where a training stands, two calls ahead, to its end', async () => {
  const { asked, feeder } = labelled();
  const groups = [1, 4, 2, 3];
  let planned = 0;
  const next = ahead(feeder, 10, (step) => (step === 20 ? 0 : (groups[planned++] as number)));
  const read: unknown[] = [await next()];
  expect(asked).toEqual([
    [10, 1],
    [11, 4],
    [15, 2],
  ]);
  for (let i = 0; i < 3; i++) read.push(await next());
  expect(read.flat()).toEqual(Array.from({ length: 10 }, (_, i) => ({ step: 10 + i })));
  expect(asked).toHaveLength(groups.length);
  expect(await next()).toEqual([]);
});

it('the feeder feeds by the place in the whole training, over its parts', async () => {
  const recipe = resolveRecipe('gpn-mnist-large', { steps: 1200, batchSize: 8 });
  const parts = partsOf(ganOf(recipe).phases, dataset);
  const [, second] = parts as [unknown, (typeof parts)[number]];
  const [fed] = await direct(parts).feeds(second.from + 1, 1);
  expect(fed).toEqual(second.data.feeds(1));
});
