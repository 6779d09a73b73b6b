import { stream, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { measuredStatistics } from '../src/export/statistics.js';
import { mapRecord } from '../src/records.js';
import { smallGan } from './small-gan.js';

const evenly = Array.from({ length: 10 }, (_, k) => k);

it.each([
  ['classes equally often', undefined, evenly],
  ['classes as often as the data has them', [0, 0, 0.5, 0, 0, 0, 0, 0.5, 0, 0], [2, 7]],
] as const)(
  'measuredStatistics measures what batch normalisation finds in many images, %s',
  async (_, shares, shown) => {
    const { recipe, gan, start } = smallGan('cdcgan-mnist');
    const { generator } = gan.pair;
    const of = (group: 'params' | 'buffers') =>
      mapRecord(
        generator[group],
        (_, name) => markedByLabels[name] ?? (start[`generator/${group}/${name}`] as TensorData),
      );
    // The weights of the labels, the last ten inputs, five times as large: classes then look different.
    const { shape, data } = start['generator/params/deconv1/kernel'] as TensorData;
    const values = Float32Array.from(data as Float32Array, (x, i) => (i % 26 < 16 ? x : 5 * x));
    const markedByLabels: Record<string, TensorData> = {
      'deconv1/kernel': { dtype: 'float32', shape, data: values },
    };
    const measured = await measuredStatistics(recipe, generator, of('params'), shares);
    expect(await measuredStatistics(recipe, generator, of('params'), shares)).toEqual(measured);

    // The oracle: one pass of TF.js over images of other latents, from statistics of 0.
    await tf.setBackend('cpu');
    const [count, share] = [500, 0.1];
    const random = stream(1, 'statistics test');
    const labels = Float32Array.from({ length: count * 10 }, (_, i) =>
      i % 10 === shown[Math.floor(i / 10) % shown.length] ? 1 : 0,
    );
    const tensors = (group: 'params' | 'buffers', change: (t: tf.Tensor) => tf.Tensor = (t) => t) =>
      Object.fromEntries(
        Object.entries(of(group)).map(([name, { data, shape }]) => [
          name,
          change(tf.tensor(data as Float32Array, [...shape], 'float32')),
        ]),
      );
    const { buffers } = generator.apply(
      tensors('params'),
      tensors('buffers', tf.zerosLike),
      tf.tensor(random.uniform(count * 16), [count, 16]),
      { training: true, conditions: { labels: tf.tensor(labels, [count, 10]) } },
    );
    const found = (name: string) => Array.from((measured[name] as TensorData).data, Number);
    const wanted = (name: string) =>
      Array.from((buffers[name] as tf.Tensor).dataSync(), (x) => x / share);
    for (const norm of ['norm1', 'norm2', 'norm3']) {
      const [means, variances] = [wanted(`${norm}/mean`), wanted(`${norm}/variance`)];
      found(`${norm}/variance`).forEach((x, i) => {
        expect(x / (variances[i] as number), norm).toBeGreaterThan(0.8);
        expect(x / (variances[i] as number), norm).toBeLessThan(1.25);
      });
      found(`${norm}/mean`).forEach((x, i) => {
        const deviation = Math.sqrt(variances[i] as number);
        expect(Math.abs(x - (means[i] as number)), norm).toBeLessThan(0.25 * deviation);
      });
    }
  },
);
