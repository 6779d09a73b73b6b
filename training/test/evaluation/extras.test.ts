import { beforeAll, expect, test } from 'vitest';
import { rowsOf } from '../../src/evaluation/metrics/rows.js';
import { scoreExtras, trainedOn } from '../../src/evaluation/scorecard/extras.js';
import { choose, loadReal, type RealData } from '../../src/evaluation/scorecard/image-sets.js';

const RECIPE = {
  steps: 40,
  batchSize: 16,
  learningRate: 2e-3,
  labelSmoothing: 0.1,
  shift: 0,
  flip: false,
  seed: 0,
};
const range = (n: number) => Uint32Array.from({ length: n }, (_, i) => i);

let real: RealData;
beforeAll(async () => {
  const all = await loadReal('mnist', { height: 28, width: 28, channels: 1 });
  real = { ...all, reference: { ...all.reference, ...choose(all.reference, range(300)) } };
});

test('a classifier trained on generated images and their classes is tested on real ones', async () => {
  const pictures = choose(real.train, range(2000));
  const { trained } = await trainedOn(real, { pictures }, RECIPE);
  expect(trained?.value).toBeGreaterThan(0.5);
  // With the classes shuffled there is nothing to learn.
  const labels = pictures.labels?.map((_, k, all) => all[(k * 7 + 13) % 2000] as number);
  const shuffled = await trainedOn(
    real,
    { pictures: { ...pictures, labels: labels as Uint8Array } },
    RECIPE,
  );
  expect(shuffled.trained?.value).toBeLessThan(0.3);
});

test('no classifier is trained on generated images without classes', async () => {
  const { labels, ...pictures } = choose(real.train, range(100));
  expect(labels?.length).toBe(100);
  expect(await trainedOn(real, { pictures }, RECIPE)).toEqual({});
});

test('real images are likelier than noise by the Parzen estimate', async () => {
  const told: string[] = [];
  const score = async (pictures: RealData['train']) => {
    const features = rowsOf(new Float32Array(pictures.count), 1);
    const sample = { pictures, features };
    const measured = { sample, asManyAsOthers: async () => sample };
    const scores = await scoreExtras(['parzen'], real, measured, ({ phase }) => told.push(phase));
    return scores.parzen?.value as number;
  };
  const images = choose(real.train, range(500));
  const likely = await score(images);
  const noise = await score({ ...images, images: images.images.map((_, i) => (i * 7919) % 256) });
  expect(likely).toBeGreaterThan(noise + 100);
  expect(told).toEqual(['Parzen windows', 'Parzen windows']);
});

test('a classifier is trained on as many generated images as the data has for training', async () => {
  const score = (data: RealData) =>
    scoreExtras(
      ['trained'],
      data,
      {
        sample: {
          pictures: choose(real.train, range(10)),
          features: rowsOf(new Float32Array(10), 1),
        },
        asManyAsOthers: async () => {
          throw new Error('asked for more');
        },
      },
      () => {},
    );
  await expect(score(real)).rejects.toThrow('asked for more');
  const { classes, ...unlabelled } = real;
  expect(classes).toHaveLength(10);
  expect(await score(unlabelled)).toEqual({});
});
