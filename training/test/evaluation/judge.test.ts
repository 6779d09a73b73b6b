import { judge } from '@gpn/models';
import { openSession, stream } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../src/data/sets/dataset.js';
import type { Dataset } from '../../src/data/types.js';
import { compile } from '../../src/engine/compiled.js';
import { runEagerly } from '../../src/engine/eager.js';
import { augment } from '../../src/evaluation/judge/augment.js';
import {
  type JudgeRecipe,
  judgeSpecs,
  judgeStep,
  rateAt,
  startingJudge,
  trainJudge,
} from '../../src/evaluation/judge/judge.js';
import { exportJudge } from '../../src/evaluation/judge/judge-file.js';
import { adam } from '../../src/gan/optimizers.js';

const RECIPE: JudgeRecipe = {
  steps: 40,
  batchSize: 16,
  learningRate: 2e-3,
  labelSmoothing: 0.1,
  shift: 2,
  flip: false,
  seed: 3,
};

test('a compiled step of a judge equals the step run by TF.js', async () => {
  const network = judge({ width: 1 / 8 });
  const optimizer = adam({ beta1: 0.9, beta2: 0.999 });
  const step = judgeStep(network, optimizer, 0.1);
  const specs = judgeSpecs(network, optimizer, 4);
  const random = stream(1, 'test');
  const feeds = {
    'batch/images': {
      dtype: 'uint8',
      shape: [4, 28, 28, 1],
      data: Uint8Array.from(random.below(4 * 784, 256)),
    },
    'batch/labels': { dtype: 'uint8', shape: [4], data: Uint8Array.of(0, 3, 9, 3) },
    'noise/dropout1': { dtype: 'float32', shape: [4, 16], data: random.uniform(64, 0, 1) },
    'hyper/rate': { dtype: 'float32', shape: [], data: Float32Array.of(1e-3) },
  } as const;
  const state = startingJudge(network, optimizer, 0);
  const compiled = await compile(step, specs, { device: 'cpu' });
  compiled.load(state);
  const { loss } = await compiled.run(feeds);
  const next = compiled.state();
  await compiled.dispose();
  const eager = runEagerly(step, specs, { state, feeds });
  expect(loss).toBeCloseTo(eager.metrics.loss as number, 5);
  for (const [name, { data }] of Object.entries(eager.state)) {
    // Adam's first update is the sign of a gradient: where that is rounding, it may turn.
    if (name.startsWith('params/')) continue;
    const found = next[name]?.data as Float32Array;
    data.forEach((x, i) => {
      expect(Math.abs(Number(x) - (found[i] as number)), name).toBeLessThan(1e-4);
    });
  }
});

describe('images shifted for a judge', () => {
  const image = Uint8Array.of(1, 2, 3, 4, 5, 6);
  const size = { height: 2, width: 3, channels: 1 };

  test('move by whole pixels with black beyond, and are mirrored if they may be', () => {
    const many = new Uint8Array(6 * 400);
    for (let k = 0; k < 400; k++) many.set(image, 6 * k);
    const seen = (flip: boolean) => {
      const moved = augment(many, size, { shift: 1, flip }, stream(0, 'augment'));
      return new Set(Array.from({ length: 400 }, (_, k) => moved.slice(6 * k, 6 * k + 6).join()));
    };
    const still = seen(false);
    expect(still.size).toBe(9);
    for (const wanted of ['1,2,3,4,5,6', '0,0,0,1,2,3', '0,1,2,0,4,5', '5,6,0,0,0,0']) {
      expect(still, wanted).toContain(wanted);
    }
    const mirrored = seen(true);
    expect(mirrored.size).toBe(18);
    expect(mirrored).toContain('3,2,1,6,5,4');
  });

  test('stay as they are by no shift', () => {
    expect([...augment(image, size, { shift: 0, flip: false }, stream(0, 'augment'))]).toEqual([
      ...image,
    ]);
  });
});

test('the learning rate of a judge rises, then falls to 0', () => {
  const recipe = { ...RECIPE, steps: 1000 };
  const rates = Array.from({ length: 1000 }, (_, step) => rateAt(step, recipe));
  const top = rates.indexOf(Math.max(...rates));
  expect(top).toBe(100);
  expect(rates[100]).toBeCloseTo(2e-3, 9);
  expect(rates[0]).toBeLessThan(1e-4);
  expect(rates[999]).toBeLessThan(1e-7);
});

test('a judge learns, and its file computes what the network does', async () => {
  const all = await loadDataset('mnist', { height: 28, width: 28, channels: 1 });
  const first: Dataset = {
    ...all,
    count: 640,
    images: all.images.slice(0, 640 * 784),
    labels: all.labels?.slice(0, 640) as Uint8Array,
  };
  const losses: number[] = [];
  const state = await trainJudge(first, RECIPE, {
    device: 'cpu',
    on: ({ loss }) => losses.push(loss),
  });
  const mean = (from: number) => losses.slice(from, from + 5).reduce((a, b) => a + b, 0) / 5;
  expect(losses.length).toBe(40);
  expect(mean(35)).toBeLessThan(0.7 * mean(0));

  const { bytes, info, accuracy } = await exportJudge(state, RECIPE, { train: first, test: first });
  expect(accuracy).toBeGreaterThan(0.5);
  expect(info).toMatchObject({
    name: 'judge-mnist',
    kind: 'features',
    classifier: { output: 'logits', classes: 10, names: all.classes },
    training: { steps: 40, epochs: 1, seed: 3, dataset: { name: 'mnist' } },
    quality: [{ metric: 'accuracy', value: accuracy }],
  });

  const network = judge();
  const pixels = stream(0, 'pixels').uniform(3 * 784, 0, 1);
  const session = await openSession(bytes, { device: 'cpu' });
  const images = { dtype: 'float32', shape: [3, 28, 28, 1], data: pixels } as const;
  const outputs = await session.run({ images });
  await session.dispose();
  tf.tidy(() => {
    const tensors = (group: string) =>
      Object.fromEntries(
        Object.entries(state)
          .filter(([name]) => name.startsWith(`${group}/`))
          .map(([name, { data, shape }]) => [
            name.slice(group.length + 1),
            tf.tensor(data as Float32Array, [...shape]),
          ]),
      );
    const x = tf.tensor4d(pixels, [3, 28, 28, 1]);
    const right = network.apply(tensors('params'), tensors('buffers'), x, { training: false });
    for (const name of ['features', 'logits'] as const) {
      const found = outputs[name]?.data as Float32Array;
      const expected = right[name].dataSync();
      expect(found.length).toBe(expected.length);
      expected.forEach((value, i) => {
        expect(Math.abs(value - (found[i] as number))).toBeLessThan(1e-4);
      });
    }
  });
});
