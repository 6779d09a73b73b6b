import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Discriminator, Generator } from '@gpn/runtime';
import { decode } from 'fast-png';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { prepareBatch } from '../src/evaluation/judge/prepare.js';
import { checkRecipe } from '../src/recipe/check.js';
import { resolveRecipe } from '../src/recipe/load.js';
import { train } from '../src/run/loop.js';
import { temporaryFolder } from './temp-folder.js';

const folder = await temporaryFolder();
const SIDE = 16;

/** A folder of squares in colour, on nothing. */
async function sprites(): Promise<string> {
  const path = join(folder, 'sprites');
  await mkdir(path);
  for (let k = 0; k < 8; k++) {
    const square = {
      create: { width: 6, height: 6, channels: 4 as const, background: `hsl(${k * 45}, 90%, 50%)` },
    };
    const edges = {
      top: k,
      bottom: 10 - k,
      left: 4,
      right: 6,
      background: { r: 0, g: 0, b: 0, alpha: 0 },
    };
    await writeFile(join(path, `${k}.png`), await sharp(square).extend(edges).png().toBuffer());
  }
  return path;
}

test('a network learns from sprites, draws with alpha, and takes a picture without one as opaque', async () => {
  const { model, training, ...rest } = resolveRecipe('dcgan-64', { steps: 2, batchSize: 4 });
  const data = {
    dataset: await sprites(),
    height: SIDE,
    width: SIDE,
    channels: 4,
    range: [-1, 1],
    flip: true,
  };
  const recipe = checkRecipe({
    ...rest,
    data,
    model: { ...model, network: 'dcgan', width: 4, batch_norm: false },
    training: {
      ...training,
      loss: 'relativistic_pairs',
      r1: 1,
      r2: 1,
      augmentation: ['color', 'cutout'],
    },
  });
  const out = join(folder, 'run');
  const { generator, discriminator } = await train(recipe, { out, device: 'cpu' });

  const draws = await Generator.load(readFileSync(generator as string), { device: 'cpu' });
  expect(draws.info.image).toMatchObject({ channels: 4, color: 'rgba' });
  const images = await draws.sample({ count: 2 });
  const grid = decode(await images.toPNG({ gap: 1 }));
  expect([grid.channels, grid.width, grid.height]).toEqual([4, 2 * SIDE + 1, SIDE]);
  expect([...grid.data.subarray(4 * SIDE, 4 * SIDE + 4)]).toEqual([0, 0, 0, 0]);
  await draws.dispose();

  const judge = await Discriminator.load(readFileSync(discriminator as string), { device: 'cpu' });
  const size = { width: SIDE, height: SIDE };
  const rgba = Uint8Array.from({ length: SIDE * SIDE * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : (i * 37) % 256,
  );
  const rgb = rgba.filter((_, i) => i % 4 !== 3);
  const clear = rgba.map((value, i) => (i % 4 === 3 ? 100 : value));
  const { values } = await judge.scorePictures(
    [rgba, rgb, clear].map((of) => ({ ...size, data: of })),
  );
  expect(values[1]).toBe(values[0]);
  expect(values[2]).not.toBe(values[0]);
  await judge.dispose();
});

test('a feature extractor sees images with alpha as they look on black', () => {
  const pictures = {
    count: 2,
    height: 1,
    width: 1,
    channels: 4,
    images: Uint8Array.of(1, 2, 3, 255, 200, 100, 50, 51),
  };
  const format = { layout: 'NHWC', height: 1, width: 1, channels: 3, range: [0, 255] } as const;
  expect([...prepareBatch(pictures, 1, 1, 1, format).data]).toEqual([40, 20, 10]);
  expect([...prepareBatch(pictures, 0, 1, 1, format).data]).toEqual([1, 2, 3]);
});
