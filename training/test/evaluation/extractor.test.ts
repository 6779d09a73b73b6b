import { existsSync } from 'node:fs';
import { spec, trace } from '@gpn/export';
import { readModelInfo, readSource, stream, UserError } from '@gpn/runtime';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../src/data/sets/dataset.js';
import type { Pictures } from '../../src/data/types.js';
import { openExtractor } from '../../src/evaluation/judge/extractor.js';
import { extractorFor, JUDGES } from '../../src/evaluation/judge/judges.js';
import { prepareBatch } from '../../src/evaluation/judge/prepare.js';
import { average } from '../../src/evaluation/metrics/rows.js';
import { agreement, classesOf } from '../../src/evaluation/metrics/verdicts.js';

const picture = (height: number, width: number, channels: number, images: number[]): Pictures => ({
  count: images.length / (height * width * channels),
  height,
  width,
  channels,
  images: Uint8Array.from(images),
});

describe('images for a feature extractor are', () => {
  const place = { layout: 'NHWC', height: 0, width: 0, channels: 1, range: [0, 1] } as const;

  test('in its range, with black ones to fill the batch', () => {
    const two = picture(1, 2, 1, [0, 255, 51, 102]);
    const { data, shape } = prepareBatch(two, 1, 1, 2, { ...place, range: [-1, 1] });
    expect(shape).toEqual([2, 1, 2, 1]);
    expect([...data].map((x) => Math.round(x * 1e6) / 1e6)).toEqual([-0.6, -0.2, 0, 0]);
  });

  test('resized as TF.js does with pixel centres at halves', () => {
    const images = [...stream(0, 'pixels').below(2 * 5 * 4 * 3, 256)];
    const small = picture(5, 4, 3, images);
    const { data } = prepareBatch(small, 0, 2, 2, { ...place, height: 7, width: 9, channels: 3 });
    const expected = tf.image.resizeBilinear(
      tf.tensor4d(images, [2, 5, 4, 3]),
      [7, 9],
      false,
      true,
    );
    const right = tf.div(expected, 255).dataSync();
    expect(data.length).toBe(right.length);
    data.forEach((x, i) => {
      expect(Math.abs(x - (right[i] as number))).toBeLessThan(1e-5);
    });
  });

  test('made smaller by averaging, so that no line is lost', () => {
    const stripes = picture(1, 8, 1, [255, 0, 0, 0, 0, 0, 255, 0]);
    const { data } = prepareBatch(stripes, 0, 1, 1, { ...place, height: 1, width: 2 });
    // Triangles that are 0 four pixels from their centres, at 1.5 and 5.5.
    const sum = 0.625 + 0.875 + 0.875 + 0.625 + 0.375 + 0.125;
    expect(data[0]).toBeCloseTo(0.625 / sum, 6);
    expect(data[1]).toBeCloseTo(0.875 / sum, 6);
  });

  test('grey in all channels, with channels first if it wants them', () => {
    const grey = picture(1, 2, 1, [0, 255]);
    const { data, shape } = prepareBatch(grey, 0, 1, 1, { ...place, layout: 'NCHW', channels: 3 });
    expect(shape).toEqual([1, 3, 1, 2]);
    expect([...data]).toEqual([0, 1, 0, 1, 0, 1]);
    expect(() => prepareBatch(picture(1, 1, 3, [1, 2, 3]), 0, 1, 1, place)).toThrow(UserError);
  });
});

describe('a feature extractor of any origin', () => {
  /** The mean of each channel, of images with channels first. */
  const means = (batch: number | string) =>
    trace(({ images }) => ({ pooled: tf.mean(images, [2, 3]) }), {
      images: spec([batch, 3, 8, 8]),
    }).toBytes();

  test.each([['N'], [3]])('gives features with a batch of %s', async (batch) => {
    const extractor = await openExtractor(means(batch), { label: 'a/means.onnx', range: [0, 255] });
    expect(extractor.identity).toMatchObject({ name: 'means.onnx', size: 3, range: [0, 255] });
    expect(extractor.identity.sha256).toMatch(/^[0-9a-f]{64}$/);
    const flat = picture(
      4,
      4,
      1,
      Array.from({ length: 7 * 16 }, (_, i) => Math.floor(i / 16) * 10),
    );
    const { features, logits } = await extractor.extract(flat);
    await extractor.dispose();
    expect(logits).toBeUndefined();
    expect(features).toMatchObject({ count: 7, size: 3 });
    expect(features.data[3 * 6 + 1]).toBeCloseTo(60, 4);
  });

  test('is refused if it gives features that are no numbers', async () => {
    const roots = trace(({ images }) => ({ roots: tf.sqrt(tf.mean(images, [2, 3])) }), {
      images: spec(['N', 1, 2, 2]),
    }).toBytes();
    const extractor = await openExtractor(roots, { label: 'roots.onnx', range: [-1, 1] }).catch(
      (error: Error) => error,
    );
    expect(String(extractor)).toContain(
      'roots.onnx cannot be used for --features: its output "roots" has NaN for image 1 of 1;',
    );
  });

  test('is refused if its file is not one', async () => {
    const scalar = trace(({ x }) => ({ y: tf.neg(x) }), { x: spec(['N', 5]) }).toBytes();
    await expect(openExtractor(scalar, { label: 'x.onnx' })).rejects.toThrow(
      'x.onnx cannot be used for --features: its first input should be float32 images of 1 or 3 channels, and takes float32 [N,5].',
    );
    await expect(extractorFor('mnist', 'dcgan-mnist')).rejects.toThrow(
      'dcgan-mnist.onnx is a generator: --features takes a feature extractor.',
    );
    await expect(extractorFor('my-photos', undefined)).rejects.toThrow(
      /^There is no judge for my-photos: give --features/,
    );
  });
});

const ACCURACY: Record<string, number> = { mnist: 0.994, fashion: 0.925 };

describe.each(Object.entries(JUDGES))('the judge of %s', (data, { name, sha256 }) => {
  test('is the pinned file, with features and logits', async () => {
    const extractor = await extractorFor(data, undefined);
    expect(extractor.identity).toMatchObject({ name, sha256, size: 128, range: [0, 1] });
    expect(extractor.classes).toBe(10);
    await extractor.dispose();
  });

  const installed = data !== 'fashion' || existsSync('/usr/share/datasets/fashion-mnist');
  test.runIf(installed)(
    'is as good on the test set as its file says, which is good enough',
    async () => {
      const size = { height: 28, width: 28, channels: 1 };
      const test = await loadDataset(data, { ...size, split: 'test' });
      const extractor = await extractorFor(data, undefined);
      const { logits } = await extractor.extract(test);
      await extractor.dispose();
      const judged = classesOf(logits as NonNullable<typeof logits>);
      const accuracy = average(agreement(test.labels as Uint8Array, judged));
      expect(accuracy).toBeGreaterThanOrEqual(ACCURACY[data] as number);
      const { bytes } = await readSource(name);
      const [quality] = readModelInfo(bytes, name).quality ?? [];
      expect(quality?.metric).toBe('accuracy');
      expect(Math.abs((quality?.value ?? 0) - accuracy)).toBeLessThan(0.0005);
    },
  );
});
