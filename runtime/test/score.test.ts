import { describe, expect, it } from 'vitest';
import { Discriminator, Images, type ModelInfo, type Picture } from '../src/node/index.js';
import { stream } from '../src/random/random.js';
import { expectClose, sentence } from './helpers.js';
import { DISCRIMINATOR, discriminatorFile } from './tiny.js';

// The tiny discriminator's score is the sum of its 2×3 pixels, in [0, 1].
const load = (info: ModelInfo = DISCRIMINATOR) =>
  Discriminator.load(discriminatorFile(info), { device: 'cpu' });

const gray = (width: number, height: number, seed = 1): Picture => ({
  width,
  height,
  data: stream(seed, 'picture').uniform(width * height, 0, 1),
});

/** The sum over a window, zero outside of the picture: by hand. */
const windowSum = ({ width, height, data }: Picture, x: number, y: number): number => {
  let sum = 0;
  for (let j = y; j < y + 2; j++) {
    for (let i = x; i < x + 3; i++) {
      if (i >= 0 && j >= 0 && i < width && j < height) sum += data[j * width + i] as number;
    }
  }
  return sum;
};

describe('scoreFragments', () => {
  it('uses rectangles of the model’s size as they are', async () => {
    const model = await load();
    const picture = gray(10, 8);
    const places = [
      [0, 0],
      [7, 6],
      [3, 2],
    ] as const;
    const scores = await model.scoreFragments(
      picture,
      places.map(([x, y]) => ({ x, y, width: 3, height: 2 })),
      { batchSize: 2 },
    );
    expect(scores.meaning).toBe('logit');
    expectClose(
      scores.values,
      places.map(([x, y]) => windowSum(picture, x, y)),
    );
    await model.dispose();
  });

  it('resamples other rectangles: averages if they are made smaller, straight lines if larger', async () => {
    const model = await load();
    const ramp: Picture = {
      width: 60,
      height: 40,
      data: Float32Array.from({ length: 2400 }, (_, p) => (p % 60) / 60),
    };
    // The mean of a ramp is its middle; the filter is symmetric, and the edges are far.
    const inner = { x: 15, y: 10, width: 30, height: 20 };
    const whole = await model.scoreFragments(ramp, [inner]);
    expectClose(whole.values, [6 * (29.5 / 60)], 1e-5);
    // Three columns over half a pixel, around x = 30: linear interpolation of a line is the line.
    const tiny = { x: 30.25, y: 10, width: 0.5, height: 1 };
    expectClose((await model.scoreFragments(ramp, [tiny])).values, [6 * (30 / 60)], 1e-5);
    await model.dispose();
  });

  it('refuses rectangles that are empty or outside', async () => {
    const model = await load();
    const score = (x: number, y: number, width: number, height: number) =>
      sentence(model.scoreFragments(gray(10, 8), [{ x, y, width, height }]));
    expect(await score(0, 0, 0, 2)).toMatch(/rectangle 0,0,0,2 is empty/);
    expect(await score(8, 0, 3, 2)).toBe(
      'The rectangle 8,0,3,2 is not within the picture of 10×8.',
    );
    expect(await score(-1, 0, 3, 2)).toMatch(/not within/);
    expect(await score(Number.NaN, 0, 3, 2)).toMatch(/is empty/);
    expect(await sentence(model.scoreFragments(gray(10, 8), []))).toMatch(/no rectangle/);
    await model.dispose();
  });
});

describe('a picture', () => {
  const sumOf = async (picture: Picture): Promise<number> => {
    const model = await load();
    const { values } = await model.scoreFragments(picture, [{ x: 0, y: 0, width: 3, height: 2 }]);
    await model.dispose();
    return values[0] as number;
  };
  const repeat = (...pixel: number[]) => Array.from({ length: 6 }, () => pixel).flat();

  it.each<[string, Picture, number]>([
    ['gray bytes', { width: 3, height: 2, data: Uint8Array.from(repeat(51)) }, 6 * 0.2],
    [
      'RGB bytes, as luma',
      { width: 3, height: 2, data: Uint8Array.from(repeat(255, 51, 0)) },
      6 * (Math.round(0.299 * 255 + 0.587 * 51) / 255), // whole levels, as in training
    ],
    [
      'RGBA bytes of a canvas, blended with black',
      { width: 3, height: 2, data: Uint8ClampedArray.from(repeat(255, 255, 255, 51)) },
      6 * 0.2,
    ],
    ['gray with alpha', { width: 3, height: 2, data: Uint8Array.from(repeat(255, 0)) }, 0],
    [
      'floats of another range',
      { width: 3, height: 2, data: new Float32Array(6).fill(0.5), range: [-1, 1] },
      6 * 0.75,
    ],
    ['one of a model’s images', new Images(1, 2, 3, 1, [-1, 1], new Float32Array(6)), 3],
  ])('is scored with the model’s channels and range: %s', async (_, picture, expected) => {
    expect(await sumOf(picture)).toBeCloseTo(expected, 5);
  });

  it.each<[string, Picture, RegExp]>([
    ['no pixels', { width: 0, height: 0, data: new Uint8Array(0) }, /nothing to score/],
    [
      'one that is too large',
      { width: 30_000, height: 30_000, data: new Uint8Array(1) },
      /too large/,
    ],
    [
      'a number of values that does not fit',
      { width: 3, height: 2, data: new Uint8Array(7) },
      /7 values are not/,
    ],
    [
      'a size that is not a whole number',
      { width: 2.5, height: 2, data: new Uint8Array(5) },
      /nothing to score/,
    ],
  ])('is refused: %s', async (_, picture, message) => {
    expect(await sentence(sumOf(picture))).toMatch(message);
  });
});

describe('scoreMap', () => {
  it('scores windows all over a picture', async () => {
    const model = await load();
    const picture = gray(11, 7);
    const map = await model.scoreMap(picture, { stride: 2, batchSize: 4 });
    expect([map.rows, map.columns, map.stride]).toEqual([3, 5, 2]);
    expect(map.first).toEqual({ x: 0, y: 0, width: 3, height: 2 });
    const expected = Array.from({ length: 15 }, (_, k) =>
      windowSum(picture, 2 * (k % 5), 2 * Math.floor(k / 5)),
    );
    expectClose(map.values, expected);
    await model.dispose();
  });

  it('lets the frame of a fragment reach outside the picture', async () => {
    const { image } = DISCRIMINATOR;
    const square: ModelInfo = {
      ...DISCRIMINATOR,
      image: { ...image, height: 3, width: 3 },
      fragment: { internal: 1, frame: 1 },
    };
    const model = await load(square);
    const picture = gray(5, 4);
    const map = await model.scoreMap(picture);
    expect([map.rows, map.columns]).toEqual([4, 5]);
    const sum3 = (x: number, y: number) =>
      windowSum(picture, x, y) + windowSum({ ...picture, height: Math.min(4, y + 3) }, x, y + 2);
    expectClose(
      map.values,
      Array.from({ length: 20 }, (_, k) => sum3((k % 5) - 1, Math.floor(k / 5) - 1)),
    );
    const corner = { x: -1, y: -1, width: 3, height: 3 };
    expectClose((await model.scoreFragments(picture, [corner])).values, map.values.slice(0, 1));
    const beyond = model.scoreFragments(picture, [{ ...corner, x: -2 }]);
    expect(await sentence(beyond)).toMatch(/not within/);
    await model.dispose();
  });

  it('refuses a dense form that does not give one score for each fragment', async () => {
    const image = { ...DISCRIMINATOR.image, height: 3, width: 3 };
    const info: ModelInfo = { ...DISCRIMINATOR, image, fragment: { internal: 1, frame: 1 } };
    const model = await Discriminator.load(discriminatorFile(info, ['N', 'H', 'W', 1]));
    expect(await sentence(model.scoreMap(gray(5, 4)))).toMatch(
      /from an image of 6×7 it gives \[1,1,1,1\], not one score for each of 4 × 5 fragments/,
    );
    await model.dispose();
  });

  it('refuses options and pictures that do not suit the model', async () => {
    const model = await load();
    expect(await sentence(model.scoreMap(gray(2, 2)))).toMatch(/2×2 pixels is too small/);
    expect(await sentence(model.scoreMap(gray(9, 9), { stride: 0 }))).toMatch(/stride .* not 0/);
    expect(await sentence(model.scoreMap(gray(9, 9), { labels: 1 }))).toMatch(/no classes/);
    await model.dispose();
  });
});
