import { spec } from '@gpn/export';
import { stream, type TensorData } from '@gpn/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { flipSome } from '../src/data/flip.js';
import { compile } from '../src/engine/compiled.js';
import { runEagerly } from '../src/engine/eager.js';
import {
  AUGMENTATION_DRAWS,
  AUGMENTATIONS,
  type Augmentation,
  augment,
} from '../src/steps/augment.js';
import '@tensorflow/tfjs-backend-cpu';

type Size = readonly [height: number, width: number, channels: number];
/** The pixel at (y, x) of channel c, as a function; images are in [−1, 1]. */
type Image = (y: number, x: number, c: number) => number;

/**
 * The changes as the paper's code defines them, one after the other, in float64 and loops: an oracle.
 * The numbers of an image are those of brightness, saturation, contrast, the translation down and to
 * the right, and the row and column of the cut.
 */
const PAPER: Record<Augmentation, (image: Image, u: readonly number[], size: Size) => Image> = {
  color(image, u, [height, width, channels]) {
    const [brightness, saturation, contrast] = u as [number, number, number];
    const colors = Math.min(channels, 3);
    const mean = (f: (i: number) => number, count: number) =>
      Array.from({ length: count }, (_, i) => f(i)).reduce((a, b) => a + b, 0) / count;
    const bright: Image = (y, x, c) => image(y, x, c) + (brightness - 0.5);
    const saturated: Image = (y, x, c) => {
      const grey = mean((k) => bright(y, x, k), colors);
      return grey + (bright(y, x, c) - grey) * saturation * 2;
    };
    const all = mean((y) => mean((x) => mean((c) => saturated(y, x, c), colors), width), height);
    return (y, x, c) =>
      c === 3 ? image(y, x, c) : all + (saturated(y, x, c) - all) * (contrast + 0.5);
  },
  translation(image, u, [height, width]) {
    const by = (uniform: number, side: number) => {
      const most = Math.floor(side / 8 + 0.5);
      return Math.floor(uniform * (2 * most + 1)) - most;
    };
    const [down, right] = [by(u[3] as number, height), by(u[4] as number, width)];
    return (y, x, c) => {
      const [from, at] = [y - down, x - right];
      return from >= 0 && from < height && at >= 0 && at < width ? image(from, at, c) : 0;
    };
  },
  cutout(image, u, [height, width]) {
    const cut = (uniform: number, side: number, at: number) => {
      const size = Math.floor(side / 2 + 0.5);
      const start = Math.floor(uniform * (side + 1 - (size % 2))) - Math.floor(size / 2);
      return at >= start && at < start + size;
    };
    return (y, x, c) =>
      cut(u[5] as number, height, y) && cut(u[6] as number, width, x) ? 0 : image(y, x, c);
  },
};

const COUNT = 3;
const SIZES: Size[] = [
  [8, 8, 3],
  [7, 10, 1],
  [12, 9, 4],
];

/** Images in [−1, 1], and the numbers of each. */
function example([height, width, channels]: Size) {
  const random = stream(2, 'augment');
  return {
    images: random.uniform(COUNT * height * width * channels),
    uniform: random.uniform(COUNT * AUGMENTATION_DRAWS, 0, 1),
  };
}

/** All images after some changes, by the oracle. */
function expected(policies: readonly Augmentation[], size: Size): number[] {
  const [height, width, channels] = size;
  const { images, uniform } = example(size);
  return Array.from({ length: COUNT }, (_, n) => {
    const u = Array.from(uniform.slice(n * AUGMENTATION_DRAWS, (n + 1) * AUGMENTATION_DRAWS));
    const start: Image = (y, x, c) =>
      images[((n * height + y) * width + x) * channels + c] as number;
    const image = policies.reduce((changed, name) => PAPER[name](changed, u, size), start);
    return Array.from({ length: height * width * channels }, (_, i) =>
      image(Math.floor(i / (width * channels)), Math.floor(i / channels) % width, i % channels),
    );
  }).flat();
}

const floats = (data: Float32Array, shape: readonly number[]): TensorData => ({
  dtype: 'float32',
  shape: [...shape],
  data,
});

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const POLICIES: Augmentation[][] = [...AUGMENTATIONS.map((name) => [name]), AUGMENTATIONS];

describe.each(SIZES)('images of %i × %i pixels and %i channels', (...size) => {
  const shape = [COUNT, ...size];

  it.each(POLICIES)('are changed as the paper’s code says: %s %s %s', (...policies) => {
    const names = policies.filter((name) => name !== undefined);
    const { images, uniform } = example(size);
    const x = tf.tensor(images, shape);
    const draws = tf.tensor(uniform, [COUNT, AUGMENTATION_DRAWS]);
    const found = augment(x, draws, names, [-1, 1]).dataSync();
    // In another range the same, moved: zero is the middle.
    const half = augment(tf.add(tf.mul(x, 0.5), 0.5), draws, names, [0, 1]).dataSync();
    const wanted = expected(names, size);
    expect(found.length).toBe(wanted.length);
    wanted.forEach((value, i) => {
      expect(found[i], `${i}`).toBeCloseTo(value, 5);
      expect(half[i], `${i}`).toBeCloseTo(value / 2 + 0.5, 5);
    });
  });

  // Every change is affine in the pixels, so a difference is a derivative.
  it('are changed alike when compiled, with the gradients that differences say', async () => {
    const { images, uniform } = example(size);
    const weights = stream(3, 'weights').uniform(images.length);
    const step = ({ state, batch }: { state: { x: tf.Tensor }; batch: { draws: tf.Tensor } }) => {
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) =>
        tf.sum(tf.mul(augment(x, batch.draws, AUGMENTATIONS, [-1, 1]), tf.tensor(weights, shape))),
      )(state.x);
      return { state: { x: grad }, metrics: { value } };
    };
    const inputs = {
      state: { x: spec(shape) },
      batch: { draws: spec([COUNT, AUGMENTATION_DRAWS]) },
    };
    const feeds = { 'batch/draws': floats(uniform, [COUNT, AUGMENTATION_DRAWS]) };
    const state = { x: floats(images, shape) };
    const eager = runEagerly(step, inputs, { state, feeds });
    const compiled = await compile(step, inputs, { device: 'cpu' });
    compiled.load(state);
    const { value } = await compiled.run(feeds);
    expect(value).toBeCloseTo(eager.metrics.value as number, 4);
    const [found, wanted] = [compiled.state(), eager.state].map(
      (of) => of.x?.data as Float32Array,
    ) as [Float32Array, Float32Array];
    wanted.forEach((slope, i) => {
      expect(found[i]).toBeCloseTo(slope, 5);
    });
    const valueAt = (pixel: number, by: number) => {
      const moved = Float32Array.from(images, (x, i) => (i === pixel ? x + by : x));
      const there = { state: { x: floats(moved, shape) }, feeds };
      return runEagerly(step, inputs, there).metrics.value as number;
    };
    for (const pixel of [0, 20, images.length - 1]) {
      expect((valueAt(pixel, 1) - valueAt(pixel, -1)) / 2).toBeCloseTo(wanted[pixel] as number, 3);
    }
    await compiled.dispose();
  });
});

it('a flip exchanges left and right, pixel by pixel, in some images', () => {
  const size = { height: 2, width: 3, channels: 2 };
  const image = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  const mirrored = [5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8];
  const count = 400;
  const images = Uint8Array.from({ length: count * 12 }, (_, i) => image[i % 12] as number);
  flipSome(images, size, stream(1, 'flip', 0));
  const shown = Array.from({ length: count }, (_, n) => [...images.slice(n * 12, n * 12 + 12)]);
  const flipped = shown.filter((each) => `${each}` === `${mirrored}`).length;
  expect(shown.filter((each) => `${each}` === `${image}`).length).toBe(count - flipped);
  expect(flipped).toBeGreaterThan(150);
  expect(flipped).toBeLessThan(250);
});
