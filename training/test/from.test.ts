import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { convolutionsIn } from '@gpn/export';
import { inOrientations, type Network } from '@gpn/models';
import { openSession, readModelInfo, readSource, stream, type TensorData } from '@gpn/runtime';
import { withModelInfo } from '@gpn/runtime/write';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startFrom } from '../src/export/from-file.js';
import { exportNetwork } from '../src/export/network.js';
import { checkRecipe } from '../src/recipe/check.js';
import { ganOf } from '../src/recipe/gan.js';
import { recipeHash } from '../src/recipe/hash.js';
import { resolveRecipe } from '../src/recipe/load.js';
import type { Recipe } from '../src/recipe/schema.js';
import { startProgress } from '../src/run/progress.js';
import { startingState } from '../src/steps/state.js';
import { temporaryFolder } from './temp-folder.js';

const folder = await temporaryFolder();
const dataset = { name: 'pictures', hash: 'abc', count: 8 };
const digits = resolveRecipe('gpn-mnist-detector', { from: 'gpn-mnist-detector' });
const textures = resolveRecipe('texture-detector-refined');

const drawn = (recipe: Recipe) =>
  startingState(ganOf(recipe).state, 'kaiming', stream(0, 'from test'));

const started = (recipe: Recipe) =>
  startFrom({ recipe, progress: startProgress(recipe, dataset), state: drawn(recipe) });

describe('a training that starts from a trained detector', () => {
  it.each([
    ['gpn-mnist-detector', digits, 1],
    ['texture-detector', textures, 4],
  ])(
    'has the weights of %s: TF.js computes the same scores with them',
    async (name, recipe, ways) => {
      const { bytes } = await readSource(name);
      const state = await started(recipe);
      const { discriminator } = ganOf(recipe).pair;
      const shape = [1, ...discriminator.inputShape];
      const pixels = stream(1, 'from test').uniform(
        shape.reduce((a, b) => a * b, 1),
        0,
        1,
      );
      const session = await openSession(bytes, { device: 'cpu' });
      const { scores } = await session.run({ images: { dtype: 'float32', shape, data: pixels } });
      await session.dispose();
      const expected = await logits(discriminator, ways, state, tf.tensor(pixels, shape));
      expect(scores?.data).toHaveLength(1);
      expected.forEach((score, k) => {
        expect(Math.abs(score - Number(scores?.data[k]))).toBeLessThan(
          1e-4 * Math.max(1, Math.abs(score)),
        );
      });
    },
  );

  it('leaves the generator and the optimiser as they were drawn', async () => {
    const [before, after] = [drawn(digits), await started(digits)];
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const [path, tensor] of Object.entries(after)) {
      const isLearnt = path.startsWith('discriminator/params/');
      expect(`${tensor.shape}`, path).toBe(`${before[path]?.shape}`);
      if (!isLearnt) expect(tensor.data, path).toEqual(before[path]?.data);
    }
  });

  it('is the same wherever the file lies, and another with other weights', async () => {
    const { bytes } = await readSource('gpn-mnist-detector');
    const path = join(folder, 'copy.onnx');
    await writeFile(path, bytes);
    const copy = resolveRecipe('gpn-mnist-detector', { from: path });
    expect(copy.model.from).toBe(path);
    expect(recipeHash(copy)).toBe(recipeHash(digits));
    expect(recipeHash(resolveRecipe('gpn-mnist-detector'))).not.toBe(recipeHash(digits));
    await writeFile(path, bytes.subarray(0, 1000));
    await expect(started(copy)).rejects.toThrow('is not the file that the recipe was checked with');
  });

  it('goes on without the file, which is not read again', () => {
    const model = { ...digits.model, from: 'gone.onnx' };
    expect(checkRecipe({ ...digits, model }).model.from_sha256).toBe(digits.model.from_sha256);
    const { from_sha256: _, ...unknown } = model;
    expect(() => checkRecipe({ ...digits, model: unknown })).toThrow('gone.onnx: no such file');
  });

  const withModel = (recipe: Recipe, model: object): Recipe => ({
    ...recipe,
    model: { ...recipe.model, ...model },
  });

  it.each([
    [
      withModel(textures, { width: 24 }),
      'texture-detector.onnx is not of the network of this recipe (gpn-deep, width 24)',
    ],
    [
      withModel(textures, { network: 'gpn-detail', width: undefined }),
      'texture-detector.onnx is not of the network of this recipe (gpn-detail)',
    ],
    [
      withModel(textures, { fragment: { internal: 4, frame: 16 } }),
      'texture-detector.onnx has 18 pixels of frame around it, but the recipe has 16',
    ],
    [
      { ...textures, data: { ...textures.data, channels: 1 as const } },
      'texture-detector.onnx has 3 channels, but the recipe has 1',
    ],
  ])('refuses a file of another network', async (recipe, sentence) => {
    await expect(started(recipe)).rejects.toThrow(sentence);
  });

  it('refuses a file whose weights are float16, or that only says that it is a detector', async () => {
    const { bytes } = await readSource('gpn-mnist-detector');
    const info = readModelInfo(bytes);
    const small = resolveRecipe('gpn-mnist-detector');
    const half = await exportNetwork(
      { recipe: small, progress: startProgress(small, dataset), state: drawn(small) },
      'discriminator',
      { float16: true },
    );
    const path = join(folder, 'half.onnx');
    await writeFile(path, half.bytes);
    const recipe = resolveRecipe('gpn-mnist-detector', { from: path });
    await expect(started(recipe)).rejects.toThrow('holds no convolutions with float32 weights');
    const { bytes: generator } = await readSource('dcgan-mnist');
    await writeFile(path, withModelInfo(generator, info));
    const empty = resolveRecipe('gpn-mnist-detector', { from: path });
    await expect(started(empty)).rejects.toThrow('holds no convolutions with float32 weights');
  });

  it('refuses what is no detector', async () => {
    const recipe = resolveRecipe('gpn-mnist-detector', { from: 'dcgan-mnist' });
    await expect(started(recipe)).rejects.toThrow(
      'dcgan-mnist.onnx is no detector of fragments, but model.from needs a detector',
    );
  });

  it.each([
    ['dcgan-mnist', 'gpn-mnist-detector', '--from must be left out with the method adversarial'],
    ['texture-detector', 'texture-detector', 'model.batch_norm and model.spectral_norm are false'],
    ['gpn-mnist-detector', 'nowhere/to-be.onnx', 'to-be.onnx: no such file'],
    ['gpn-mnist-detector', 'nothing', 'Cannot read nothing'],
  ])('refuses a recipe like %s with --from %s', (recipe, from, sentence) => {
    expect(() => resolveRecipe(recipe, { from })).toThrow(sentence);
  });
});

it('finds the convolutions of a file, and nothing in other bytes', async () => {
  const { bytes } = await readSource('texture-detector');
  const found = convolutionsIn(bytes);
  // The differences of pixels, which all orientations share, have no biases.
  expect(found).toHaveLength(1 + 4 * 9);
  expect(found.map(({ bias }) => bias?.length)).toEqual([
    undefined,
    ...Array.from({ length: 4 }, () => [32, 32, 64, 64, 64, 128, 128, 128, 2]).flat(),
  ]);
  expect(() => convolutionsIn(new Uint8Array([1, 2, 3]))).toThrow('not an ONNX model');
});

/** A detector's scores, real − fake, by TF.js on its cpu backend. */
async function logits(
  network: Network,
  ways: number,
  state: Readonly<Record<string, TensorData>>,
  images: tf.Tensor,
): Promise<number[]> {
  await tf.setBackend('cpu');
  const params = Object.fromEntries(
    Object.keys(network.params).map((name) => {
      const { data, shape } = state[`discriminator/params/${name}`] as TensorData;
      return [name, tf.tensor(data as Float32Array, [...shape])];
    }),
  );
  const turned = ways === 1 ? network : inOrientations(network, ways);
  const { y } = turned.apply(params, {}, images, { training: false });
  const pairs = (await y.data()) as Float32Array;
  return Array.from(
    { length: pairs.length / 2 },
    (_, k) => Number(pairs[2 * k + 1]) - Number(pairs[2 * k]),
  );
}
