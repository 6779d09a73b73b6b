import { inspectModel } from '@gpn/export';
import { openSession, readModelInfo, stream, type TensorData, UserError } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import type { Checkpoint } from '../src/checkpoint/checkpoint.js';
import { turned } from '../src/data/flip.js';
import { exportNetwork, type Role } from '../src/export/network.js';
import { ganOf } from '../src/recipe/gan.js';
import { resolveRecipe } from '../src/recipe/load.js';
import { startingState } from '../src/steps/state.js';

const recipe = resolveRecipe('dcgan-mnist');
const { pair, state: specs } = ganOf(recipe);
const random = stream(0, 'export test');

/** As after a training: running statistics that are not what they start as. */
const state = Object.fromEntries(
  Object.entries(startingState(specs, 'kaiming', random)).map(([name, t]) => {
    const moved = /\/(mean|variance)$/.test(name) || /norm\d\/(scale|offset)$/.test(name);
    const data = moved ? random.uniform(t.data.length, 0.5, 1.5) : t.data;
    return [name, { ...t, data } as TensorData];
  }),
);
const progress = {
  step: 937,
  seed: 0,
  random: 'threefry2x32-20',
  epochs: 1,
  epoch: { steps: 0, sums: {} },
  places: {},
  schedule: {},
  dataset: { name: 'mnist', hash: 'abc', count: 60_000 },
} as const;
const checkpoint: Checkpoint = { state, progress, recipe };

/** TF.js's inference-mode forward pass, on its cpu backend. */
async function expected(role: Role, input: Float32Array, count: number): Promise<Float32Array> {
  await tf.setBackend('cpu');
  const network = pair[role];
  const tensors = (group: 'params' | 'buffers') =>
    Object.fromEntries(
      Object.keys(network[group]).map((name) => {
        const { data, shape } = state[`${role}/${group}/${name}`] as TensorData;
        return [name, tf.tensor(data as Float32Array, [...shape])];
      }),
    );
  const x = tf.tensor(input, [count, ...network.inputShape]);
  return network
    .apply(tensors('params'), tensors('buffers'), x, { training: false })
    .y.dataSync<'float32'>();
}

it.each(['generator', 'discriminator'] as const)(
  'exports a %s that computes what TF.js does, within 1e-5, at batches of 1, 7 and 64',
  async (role) => {
    const { bytes, info } = await exportNetwork(checkpoint, role);
    const session = await openSession(bytes, { device: 'cpu' });
    const { inputShape, outputShape } = pair[role];
    const perInput = inputShape.reduce((a, b) => a * b, 1);
    const perOutput = outputShape.reduce((a, b) => a * b, 1);
    const input = random.uniform(64 * perInput, 0, 1);
    const golden = await expected(role, input, 64);
    const scale = golden.reduce((m, x) => Math.max(m, Math.abs(x)), 1);
    for (const count of [1, 7, 64]) {
      const feeds = {
        [info.input]: {
          dtype: 'float32' as const,
          shape: [count, ...inputShape],
          data: input.slice(0, count * perInput),
        },
      };
      const output = (await session.run(feeds))[info.output] as TensorData;
      expect(output.shape).toEqual([count, ...outputShape]);
      let worst = 0;
      for (let i = 0; i < count * perOutput; i++) {
        worst = Math.max(worst, Math.abs(Number(output.data[i]) - (golden[i] as number)));
      }
      expect(worst / scale).toBeLessThan(1e-5);
    }
    await session.dispose();
  },
);

it('exportRun folds the normalisations into the weights and needs no transposition between layers', async () => {
  const { bytes } = await exportNetwork(checkpoint, 'generator');
  const { operators } = inspectModel(bytes);
  expect(operators).toEqual({ ConvTranspose: 3, Gemm: 1, Relu: 3, Reshape: 2, Sigmoid: 1 });
});

it('exportRun stores weights as float16 if told to: half the size, and images that differ little', async () => {
  const [whole, half] = [
    await exportNetwork(checkpoint, 'generator'),
    await exportNetwork(checkpoint, 'generator', { float16: true }),
  ];
  expect(half.bytes.length / whole.bytes.length).toBeLessThan(0.55);
  const feeds = {
    latents: { dtype: 'float32', shape: [4, 16], data: random.uniform(64) } as const,
  };
  const [wanted, found] = [whole, half].map(async ({ bytes }) => {
    const session = await openSession(bytes, { device: 'cpu' });
    const { images } = await session.run(feeds);
    await session.dispose();
    return (images as TensorData).data as Float32Array;
  });
  const golden = (await wanted) as Float32Array;
  const differences = ((await found) as Float32Array).map((x, i) =>
    Math.abs(x - (golden[i] as number)),
  );
  const worst = Math.max(...differences);
  // Float16 has 11 bits: a weight is off by at most a 2048th of itself.
  expect(worst).toBeGreaterThan(0);
  expect(worst).toBeLessThan(0.01);
});

it('exportRun has a detector judge pictures in several orientations, as if they were turned by hand', async () => {
  const recipeOf = (more: object) => {
    const gpn = resolveRecipe('gpn-mnist');
    const { predictive } = gpn.training;
    const fragment = { internal: 4, frame: 6, ...more };
    return {
      ...gpn,
      model: { ...gpn.model, network: 'gpn-deep', width: 8, fragment },
      training: { ...gpn.training, predictive: { ...predictive, detector: true, rounds: 1 } },
    } as typeof gpn;
  };
  const start = startingState(ganOf(recipeOf({})).state, 'kaiming', stream(1));
  const fileOf = (more: object) =>
    exportNetwork({ state: start, progress, recipe: recipeOf(more) }, 'discriminator');
  const [one, four] = [await fileOf({}), await fileOf({ orientations: 4 })];
  expect(four.info.fragment).toEqual({ internal: 4, frame: 6 });
  const [height, width] = [20, 27];
  const pixels = stream(2).uniform(height * width, 0, 1);
  const picture = { pixels, height, width, channels: 1 };
  const scoresOf = async (bytes: Uint8Array, { pixels, height, width }: typeof picture) => {
    const session = await openSession(bytes, { device: 'cpu' });
    const shape = [1, height, width, 1];
    const { scores } = await session.run({ images: { dtype: 'float32', shape, data: pixels } });
    await session.dispose();
    return scores as TensorData<'float32'>;
  };
  const found = await scoresOf(four.bytes, picture);
  expect(found.shape).toEqual([1, 5, 12, 1]);
  const sum = new Float32Array(5 * 12);
  for (const way of [0, 1, 2, 3]) {
    const { data, shape } = await scoresOf(one.bytes, turned(picture, way));
    // Where each score of the turned picture's map is in that of the picture.
    const numbers = Float32Array.from(sum, (_, k) => k);
    const places = turned({ pixels: numbers, height: 5, width: 12, channels: 1 }, way);
    expect(shape).toEqual([1, places.height, places.width, 1]);
    for (const [k, place] of places.pixels.entries())
      sum[place] = (sum[place] as number) + (data[k] as number) / 4;
  }
  expectNear(found.data, sum);
});

/** Within 1e-5 of the largest, which is not 0. */
function expectNear(found: Float32Array, expected: Float32Array): void {
  const most = Math.max(...expected.map(Math.abs));
  expect(most).toBeGreaterThan(0);
  for (const [k, value] of expected.entries()) {
    expect(Math.abs((found[k] as number) - value) / most).toBeLessThan(1e-5);
  }
}

it('exportRun says in the file what it is, and how it was trained', async () => {
  const { bytes } = await exportNetwork(checkpoint, 'generator');
  expect(readModelInfo(bytes)).toMatchObject({
    name: 'dcgan-mnist',
    kind: 'generator',
    latent: { size: 16, distribution: 'uniform' },
    image: { height: 28, width: 28, channels: 1, range: [0, 1] },
    training: { dataset: { name: 'mnist', hash: 'abc' }, steps: 937, epochs: 1, seed: 0 },
    certificate: { seed: 0 },
  });
});

it('exportRun refuses a checkpoint that does not fit its recipe', async () => {
  const { 'generator/params/deconv1/kernel': _, ...rest } = state;
  await expect(exportNetwork({ ...checkpoint, state: rest }, 'generator')).rejects.toThrow(
    UserError,
  );
});
