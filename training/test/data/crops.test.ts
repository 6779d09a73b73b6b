import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspectionIn, surveyFolder, testPictures } from '../../src/data/pictures/index.js';
import { loadDataset } from '../../src/data/sets/dataset.js';
import { checkRecipe } from '../../src/recipe/check.js';
import { resolveRecipe } from '../../src/recipe/load.js';
import { suggestDetector } from '../../src/recipe/suggest-detector.js';
import { parseRecipe } from '../../src/recipe/yaml.js';
import { temporaryFolder } from '../temp-folder.js';

let folder: string;

/** Red says the column, green the row, so that every pixel says where it is from. */
const picture = (width: number, height: number): Buffer =>
  Buffer.from(
    Array.from({ length: width * height }, (_, k) => [
      k % width,
      Math.floor(k / width),
      200,
    ]).flat(),
  );

beforeAll(async () => {
  folder = join(await temporaryFolder(), 'pictures');
  await mkdir(folder);
  for (const [name, width, height] of [
    ['large', 50, 40],
    ['small', 6, 30],
  ] as const) {
    const raw = { width, height, channels: 3 as const };
    await sharp(picture(width, height), { raw })
      .png()
      .toFile(join(folder, `${name}.png`));
  }
});

it('images are cut out of pictures of any size, which are not scaled', async () => {
  const size = { height: 16, width: 12, channels: 3 };
  const { images, count } = await loadDataset(folder, { ...size, crops: 5 });
  expect(count).toBe(10);
  expect(images.length).toBe(10 * 16 * 12 * 3);
  const at = (n: number, y: number, x: number) => {
    const from = ((n * 16 + y) * 12 + x) * 3;
    return [...images.subarray(from, from + 3)];
  };
  const corners = new Set<string>();
  for (let n = 0; n < 5; n++) {
    const [left, top] = at(n, 0, 0) as [number, number];
    corners.add(`${left},${top}`);
    for (let y = 0; y < 16; y++) {
      for (let x = 0; x < 12; x++) expect(at(n, y, x)).toEqual([left + x, top + y, 200]);
    }
  }
  expect(corners.size).toBeGreaterThan(3);
  // The other picture is 6 wide: it lies in the middle of black, at any height.
  for (let n = 5; n < 10; n++) {
    const [, top] = at(n, 0, 3) as [number, number];
    expect(at(n, 5, 2)).toEqual([0, 0, 0]);
    expect(at(n, 5, 3)).toEqual([0, top + 5, 200]);
    expect(at(n, 5, 8)).toEqual([5, top + 5, 200]);
    expect(at(n, 5, 9)).toEqual([0, 0, 0]);
  }
  const again = await loadDataset(folder, { ...size, crops: 5 });
  expect(again.images).toEqual(images);
});

it('crops are refused where pictures are learnt as a whole', () => {
  const gan = resolveRecipe('dcgan-mnist');
  expect(() => checkRecipe({ ...gan, data: { ...gan.data, crops: 4 } })).toThrow(
    'data.crops must be left out with the method adversarial, which learns from whole pictures',
  );
  const gpn = resolveRecipe('gpn-mnist');
  expect(() => checkRecipe({ ...gpn, data: { ...gpn.data, crops: 4 } })).toThrow(
    'data.crops must be left out with the data set mnist, whose images are ready',
  );
});

const survey = async (train: number, test?: number) => {
  const seen = await surveyFolder(folder);
  const parts = [
    { name: 'train' as const, count: train },
    ...(test === undefined ? [] : [{ name: 'test' as const, count: test }]),
  ];
  return { ...seen, parts };
};

it('a recipe of a detector fits a folder, in colour, and refuses what no detector has', async () => {
  const { data, model, training } = parseRecipe(
    suggestDetector(await survey(200), 'pictures', { steps: 50 }),
    'r.yml',
  );
  expect([data.crops, data.held_out, data.channels, model.network]).toEqual([
    ...[20, 99, 3, 'gpn-deep'],
  ]);
  expect([training.predictive?.detector, training.steps]).toEqual([true, 50]);
  const seen = await survey(200);
  expect(() => suggestDetector(seen, 'p', { labels: true })).toThrow('has no labels');
  expect(() => suggestDetector(seen, 'p', { size: 50 })).toThrow('a multiple of 4, found 50');
});

it.each([
  [9, 16, 16, 1],
  [50, 48, 40, 1],
  [600, 96, 80, 2],
  [3000, 96, 80, 4],
])(
  'pictures of %i pixels are learnt from in squares of %i and patches of %i, scores %i apart',
  async (side, square, patch, stride) => {
    const seen = { ...(await survey(200)), medianSide: side };
    const recipe = parseRecipe(suggestDetector(seen, 'pictures'), 'r.yml');
    const { data, model, training } = recipe;
    expect([data.height, training.predictive?.patches?.internal, model.fragment?.stride]).toEqual([
      ...[square, patch, stride],
    ]);
    expect(() => checkRecipe(recipe)).not.toThrow();
  },
);

it.each([
  [35, undefined, 19],
  [100, undefined, 66],
  [150, undefined, 99],
  [2000, undefined, 500],
  [9000, undefined, 1000],
  [100, 30, undefined],
])('of %i pictures and %o to test with, a detector holds out %o', async (train, test, held) => {
  const text = suggestDetector(await survey(train, test), 'pictures');
  expect(parseRecipe(text, 'r.yml').data.held_out).toBe(held);
});

it.each([
  [34, undefined, '34 normal pictures: a detector needs at least 16 to train with and 19 to be'],
  [200, 18, '200 normal pictures to train with and 18 to test with: a detector needs'],
  [15, 40, '15 normal pictures to train with and 40 to test with'],
])('%i pictures and %o to test with are too few for a detector', async (train, test, sentence) => {
  const found = await survey(train, test);
  expect(() => suggestDetector(found, 'pictures')).toThrow(sentence);
});

describe('pictures that are held out', () => {
  const size = { height: 8, width: 8, channels: 1 };
  let many: string;

  beforeAll(async () => {
    many = join(await temporaryFolder(), 'many');
    await mkdir(join(many, 'a'), { recursive: true });
    await mkdir(join(many, 'b'));
    for (let k = 0; k < 12; k++) {
      const background = { r: 20 * k, g: 20 * k, b: 20 * k };
      await sharp({ create: { width: 8, height: 8, channels: 3, background } })
        .png()
        .toFile(join(many, k % 2 ? 'a' : 'b', `${k}.png`));
    }
  });

  it('are a test set, with labels, and the others are trained with', async () => {
    const notes: string[] = [];
    const how = { ...size, heldOut: 5 };
    const train = await loadDataset(many, { ...how, onNote: (text) => notes.push(text) });
    const test = await loadDataset(many, { ...how, split: 'test' });
    expect([train.count, test.count]).toEqual([7, 5]);
    const tone = (set: typeof train, k: number) => (set.images[64 * k] as number) / 20;
    const all = [train, test].flatMap((set) =>
      Array.from({ length: set.count }, (_, k) => tone(set, k)),
    );
    expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, k) => k));
    for (const set of [train, test]) {
      set.labels?.forEach((label, k) => {
        expect(set.classes?.[label]).toBe(tone(set, k) % 2 ? 'a' : 'b');
      });
    }
    expect(notes).toContain(
      `5 of 12 pictures of ${many} were held out: the training does not see them.`,
    );
    const paths = await testPictures(many, 5);
    expect(paths?.map((path) => Number(path.replace(/\D/g, '')))).toEqual(
      Array.from({ length: 5 }, (_, k) => tone(test, k)),
    );
    expect(await testPictures(many)).toBeUndefined();
  });

  it('must leave some to train with, and be of a folder that has no test set', async () => {
    await expect(loadDataset(many, { ...size, heldOut: 12 })).rejects.toThrow(
      `${many} has 12 pictures, of which data.held_out: 12 leaves none to train with.`,
    );
    const divided = join(await temporaryFolder(), 'divided');
    for (const part of ['train', 'test']) {
      await mkdir(join(divided, part), { recursive: true });
      await copyFile(join(many, 'a', '1.png'), join(divided, part, '1.png'));
    }
    await expect(loadDataset(divided, { ...size, heldOut: 5 })).rejects.toThrow(
      `${divided} has a test set of its own: leave data.held_out out.`,
    );
    expect(await testPictures(divided)).toEqual(['test/1.png']);
  });

  it('of a detector are 19 or more', () => {
    const { data, model, training } = resolveRecipe('gpn-mnist-detector');
    const recipe = { name: 'r', data: { ...data, dataset: many, held_out: 18 }, model, training };
    expect(() => checkRecipe({ ...resolveRecipe('gpn-mnist-detector'), ...recipe })).toThrow(
      'data.held_out must be at least 19 for a detector, which is calibrated with them, found 18.',
    );
  });
});

it('of a folder that is laid out like those of MVTec AD, only normal pictures are trained with', async () => {
  const inspection = join(await temporaryFolder(), 'bottle');
  for (const [path, count] of [
    ['train/good', 3],
    ['test/good', 1],
    ['test/broken', 2],
    ['ground_truth/broken', 2],
  ] as const) {
    await mkdir(join(inspection, path), { recursive: true });
    for (let k = 0; k < count; k++) {
      await copyFile(join(folder, 'large.png'), join(inspection, path, `00${k}.png`));
    }
  }
  const size = { height: 16, width: 16, channels: 3 };
  const { count, classes } = await loadDataset(inspection, size);
  expect([count, classes]).toEqual([3, undefined]);
  const { parts } = await surveyFolder(inspection);
  expect(parts).toEqual([{ name: 'train', count: 3 }]);
  expect((await testPictures(inspection, 1))?.length).toBe(1);
  expect(await inspectionIn(inspection)).toEqual({
    tested: join(inspection, 'test'),
    masks: join(inspection, 'ground_truth'),
  });
  expect(await inspectionIn(folder)).toBeUndefined();
});
