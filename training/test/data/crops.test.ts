import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import { surveyFolder } from '../../src/data/pictures/index.js';
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

it('a recipe of a detector fits a folder, in colour, and refuses what no detector has', async () => {
  const survey = await surveyFolder(folder);
  const parts = [{ ...(survey.parts[0] as (typeof survey.parts)[0]), count: 100 }];
  const { data, model, training } = parseRecipe(
    suggestDetector({ ...survey, parts }, 'pictures', { steps: 50 }),
    'r.yml',
  );
  expect([data.crops, data.channels, model.network]).toEqual([20, 3, 'gpn']);
  expect([training.predictive?.detector, training.steps]).toEqual([true, 50]);
  expect(() => suggestDetector(survey, 'pictures')).toThrow(
    '2 picture(s) to train with: a detector',
  );
  expect(() => suggestDetector({ ...survey, parts }, 'p', { labels: true })).toThrow(
    'has no labels',
  );
});
