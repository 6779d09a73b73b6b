/** A folder's pictures are the same images in training, in a program and in `gpn-cli score`. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Discriminator, UserError } from '@gpn/runtime';
import { loadDataset, resolveRecipe, train } from '@gpn/training';
import { decode } from '@gpn/training/pictures';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gpn, scratchFolder } from './cli.js';

const folder = scratchFolder();
const pictures = join(folder, 'pictures');
const NAMES = Array.from({ length: 24 }, (_, k) => `${String(k).padStart(2, '0')}.png`);
const PREPARATION = `
  fit: contain
  background: "#ff8000"
  skip_unreadable: true`;

/** Landscapes of many sizes, in colour, some of them with transparency. */
beforeAll(async () => {
  mkdirSync(pictures);
  for (const [k, name] of NAMES.entries()) {
    const [width, height, channels] = [60 + 3 * k, 45 + (k % 5), k % 3 ? 3 : 4] as const;
    const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
      const [c, x] = [i % channels, Math.floor(i / channels) % width];
      return ((7 + k) * x + 31 * c + 3 * Math.floor(i / channels / width)) % 256;
    });
    const picture = sharp(data, { raw: { width, height, channels } });
    await picture.png().toFile(join(pictures, name));
  }
  writeFileSync(join(pictures, 'bad.png'), '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const recipe = (keys: string) => {
  const path = join(folder, 'recipe.yml');
  writeFileSync(
    path,
    `name: small
data:
  dataset: pictures
  height: 28
  width: 28
  channels: 1
  range: [-1, 1]${keys}
model: {network: mlp-mnist, latent: {size: 8, distribution: normal}, spectral_norm: false, batch_norm: false, initialization: xavier}
training: {loss: modified, label_smoothing: 0, batch_size: 8, steps: 6, seed: 0, optimizer: {type: adam, generator_lr: 2.0e-4, discriminator_lr: 2.0e-4, beta1: 0.5, beta2: 0.999}}
output: {samples_every: 100, checkpoint_every: 100, sample_count: 4}
`,
  );
  return resolveRecipe(path);
};

test('each picture has the same score as the image that the training saw', async () => {
  const out = join(folder, 'run');
  await train(recipe(PREPARATION), { out, device: 'cpu', threads: 1 });
  expect(readFileSync(join(out, 'left-out.txt'), 'utf8')).toBe('bad.png is empty\n');

  const file = join(out, 'discriminator.onnx');
  const model = await Discriminator.load(file, { device: 'cpu', threads: 1 });
  const { preparation } = model.info.image;
  expect(preparation).toEqual({
    grey: 'bt601',
    fit: 'contain',
    filter: 'triangle',
    background: [255, 128, 0],
  });

  const size = { height: 28, width: 28, channels: 1 };
  const seen = await loadDataset(pictures, { ...size, preparation, skipUnreadable: true });
  // The training's own arithmetic: float32, multiplied first.
  const scale = Math.fround(2 / 255);
  const images = Float32Array.from(seen.images, (level) => Math.fround(level * scale) - 1);
  const { values } = await model.score(images, { batchSize: 1 });

  const decoded = await Promise.all(
    NAMES.map(async (name) => (await decode(readFileSync(join(pictures, name)))).picture),
  );
  const inProgram = await model.scorePictures(decoded, { batchSize: 1 });
  expect(inProgram.values).toEqual(values);
  await model.dispose();

  const { code, stdout, stderr } = gpn(
    folder,
    ...['score', '--model', file, '--device', 'cpu', '--json', 'pictures'],
  );
  expect(code).toBe(2);
  expect(stderr).toContain('1 of 25 pictures were not scored: pictures/bad.png is empty.');
  const scores = (JSON.parse(stdout) as { image: string; score: number }[]).map(
    ({ score }) => score,
  );
  expect(scores).toHaveLength(NAMES.length);
  scores.forEach((score, k) => {
    expect(Math.abs(score - (values[k] as number))).toBeLessThan(1e-5); // more threads round otherwise
  });
});

test('a bad picture is refused before anything is written', async () => {
  const out = join(folder, 'refused');
  const failure = train(recipe(''), { out, device: 'cpu' });
  await expect(failure).rejects.toThrow(UserError);
  await expect(failure).rejects.toThrow(/1 of 25 images of .* cannot be read: bad\.png is empty; /);
  expect(existsSync(out)).toBe(false);
});
