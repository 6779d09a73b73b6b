/** Generators and discriminators that know of classes. */
import { spec, trace } from '@gpn/export';
import { Generator, type ModelInfo, withModelInfo } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { categoriesOf } from '../../src/evaluation/judge/extractor.js';
import { categoryError } from '../../src/evaluation/metrics/verdicts.js';
import { openEvaluator } from '../../src/evaluation/scorecard/evaluate.js';
import { scoreCategories } from '../../src/evaluation/scorecard/extras.js';
import type { Evaluation, Evaluator } from '../../src/evaluation/scorecard/types.js';

const IMAGE = { height: 28, width: 28, channels: 1, range: [0, 1], layout: 'NHWC', color: 'gray' };

let evaluator: Evaluator;
/** A real image of each digit, [10, 784]. */
let digits: Float32Array;
beforeAll(async () => {
  evaluator = await openEvaluator(
    'mnist',
    { height: 28, width: 28, channels: 1 },
    { samples: 200 },
  );
  const { images, labels } = evaluator.real.reference;
  digits = new Float32Array(7840);
  for (let digit = 0; digit < 10; digit++) {
    const k = labels?.indexOf(digit) as number;
    const pixels = images.subarray(784 * k, 784 * (k + 1));
    digits.set(
      Float32Array.from(pixels, (byte) => byte / 255),
      784 * digit,
    );
  }
});
afterAll(() => evaluator.dispose());

/** Draws for class k a real image of the digit (k + shift) mod 10, with some noise of the latents. */
function conditional(condition: NonNullable<ModelInfo['condition']>, shift: number): Uint8Array {
  const { input, classes } = condition;
  const info = {
    version: 1,
    name: 'conditional',
    kind: 'generator',
    input: 'latents',
    output: 'images',
    image: IMAGE,
    latent: { size: 784, distribution: 'uniform' },
    condition,
  } as ModelInfo;
  const rows = Array.from({ length: classes }, (_, k) => [
    ...digits.subarray(784 * ((k + shift) % 10), 784 * (((k + shift) % 10) + 1)),
  ]);
  const model = trace(
    ({ latents, ...conditions }: Record<string, tf.Tensor>) => {
      const drawn = tf.matMul(conditions[input] as tf.Tensor2D, tf.tensor2d(rows));
      const noisy = tf.add(drawn, tf.mul(latents as tf.Tensor, 0.02));
      return { images: tf.reshape(noisy, [drawn.shape[0], 28, 28, 1]) };
    },
    { latents: spec(['N', 784]), [input]: spec(['N', classes]) },
  );
  return withModelInfo(model.toBytes(), info);
}

async function evaluate(bytes: Uint8Array): Promise<Evaluation> {
  const generator = await Generator.load(bytes, { device: 'cpu' });
  try {
    return (await evaluator.evaluate(generator)).evaluation;
  } finally {
    await generator.dispose();
  }
}

describe('label agreement', () => {
  test('is 1 if each class draws its digit', async () => {
    const { scores } = await evaluate(conditional({ input: 'labels', classes: 10 }, 0));
    expect(scores.agreement?.value).toBeGreaterThan(0.99);
    // Of real images with their labels it is the judge's accuracy.
    expect(scores.agreement?.floor).toBeGreaterThan(0.97);
    expect(scores.classDivergence?.value).toBeLessThan(0.1);
  });

  test('is 0 if each class draws the next digit', async () => {
    const { scores } = await evaluate(conditional({ input: 'labels', classes: 10 }, 1));
    expect(scores.agreement?.value).toBeLessThan(0.01);
  });

  test('of categories that were learnt without labels is that of the best matching', async () => {
    const { scores } = await evaluate(conditional({ input: 'categories', classes: 10 }, 1));
    expect(scores.agreement?.value).toBeGreaterThan(0.99);
  });

  test('is left out if there are other classes than the judge knows', async () => {
    const { scores } = await evaluate(conditional({ input: 'labels', classes: 4 }, 0));
    expect(scores.agreement).toBeUndefined();
  });
});

describe('categories of an InfoGAN', () => {
  /** The digit whose image is the most like the given one, counted from seven. */
  function discriminator(outputs: readonly string[]): Uint8Array {
    const info = {
      version: 1,
      name: 'infogan-discriminator',
      kind: 'discriminator',
      input: 'images',
      output: 'scores',
      image: IMAGE,
      scores: 'logit',
    } as ModelInfo;
    const seven = Array.from({ length: 10 }, (_, k) => [
      ...digits.subarray(784 * ((k + 7) % 10), 784 * (((k + 7) % 10) + 1)),
    ]);
    const model = trace(
      ({ images }) => {
        const flat = tf.reshape(images, [images.shape[0] as number, 784]);
        const table = tf.tensor2d(seven);
        const products = tf.matMul(flat, table, false, true);
        const nearness = tf.sub(tf.mul(products, 2), tf.sum(tf.square(table), 1));
        const all = { scores: tf.sum(flat, 1, true), categories: tf.softmax(nearness) };
        return Object.fromEntries(Object.entries(all).filter(([name]) => outputs.includes(name)));
      },
      { images: spec(['N', 28, 28, 1]) },
    );
    return withModelInfo(model.toBytes(), info);
  }

  test('are those with the largest output, and their error that of the best matching', async () => {
    const { reference } = evaluator.real;
    const bytes = discriminator(['scores', 'categories']);
    const categories = await categoriesOf(bytes, reference);
    const nearest = (k: number): number => {
      const distances = Array.from({ length: 10 }, (_, digit) => {
        let sum = 0;
        for (let i = 0; i < 784; i++) {
          const pixel = (reference.images[784 * k + i] as number) / 255;
          sum += (pixel - (digits[784 * digit + i] as number)) ** 2;
        }
        return sum;
      });
      return distances.indexOf(Math.min(...distances));
    };
    for (let k = 0; k < 200; k++)
      expect((categories[k] as number) + 7).toBe(nearest(k) + 10 * Number(nearest(k) < 7));
    const labels = reference.labels as Uint8Array;
    const { error, matching } = categoryError(categories, labels, 10);
    // One image of each digit is a poor classifier, but better than none.
    expect(error).toBeGreaterThan(0.2);
    expect(error).toBeLessThan(0.7);
    expect(matching[0]).toBe(7);
  });

  test('are looked for in a discriminator that has them', async () => {
    await expect(categoriesOf(discriminator(['scores']), evaluator.real.reference)).rejects.toThrow(
      /gives no categories: --categories takes the discriminator of an InfoGAN/,
    );
    await expect(scoreCategories('nowhere.onnx', evaluator.real)).rejects.toThrow(/nowhere\.onnx/);
  });
});
