import { describe, expect, it } from 'vitest';
import { Generator, gridInputs, latents, type ModelInfo, UserError } from '../src/node/index.js';
import { stream } from '../src/random/random.js';
import { conditionalFile, GENERATOR } from './tiny.js';

// As the file of `conditionalFile` says of itself: three classes, two codes.
const BOTH: ModelInfo = {
  ...GENERATOR,
  name: 'both',
  condition: { input: 'label', classes: 3 },
  codes: { input: 'codes', size: 2, range: [-2, 2] },
};
const row = (values: Float32Array | undefined, size: number, k: number) =>
  values?.slice(k * size, (k + 1) * size);

describe('a grid of images', () => {
  it('has a class for each row, with the images of the seed along it', () => {
    const { columns, count, labels, latents: z, codes } = gridInputs(BOTH, { count: 4, seed: 5 });
    expect([columns, count]).toEqual([4, 12]);
    expect(labels).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    const own = latents(BOTH, 4, 5);
    const drawn = stream(5, 'codes').uniform(8, -2, 2);
    for (let k = 0; k < 12; k++) {
      expect(row(z, 4, k)).toEqual(row(own, 4, k % 4));
      expect(row(codes, 2, k)).toEqual(row(drawn, 2, k % 4));
    }
  });

  it('sweeps a code along the columns and changes nothing else', () => {
    const sweep = { code: 1, from: -2, to: 2, steps: 5 };
    const plan = { labels: [2, 0], codes: { 0: 0.5 }, sweep, count: 2, seed: 9 };
    const { columns, count, labels, latents: z, codes } = gridInputs(BOTH, plan);
    expect([columns, count]).toEqual([5, 20]);
    expect(labels).toEqual([...Array(10).fill(2), ...Array(10).fill(0)]);
    const own = latents(BOTH, 2, 9);
    for (let k = 0; k < 20; k++) {
      expect(row(z, 4, k)).toEqual(row(own, 4, Math.floor(k / 5) % 2));
      expect(row(codes, 2, k)).toEqual(Float32Array.of(0.5, [-2, -1, 0, 1, 2][k % 5] as number));
    }
  });

  it('has only latents if the model takes neither classes nor codes', () => {
    expect(gridInputs(GENERATOR, { count: 3, seed: 1 })).toEqual({
      count: 3,
      columns: 3,
      latents: latents(GENERATOR, 3, 1),
    });
    const own = Float32Array.from({ length: 8 }, (_, i) => i);
    expect(gridInputs(GENERATOR, { latents: own })).toEqual({ count: 2, columns: 2, latents: own });
  });

  it('takes latents as a list of numbers, and refuses anything else in a sentence', () => {
    const list = Array.from({ length: 8 }, (_, i) => i / 8);
    const { latents: taken, ...rest } = gridInputs(BOTH, { latents: list, labels: [1] });
    expect([...taken]).toEqual(list);
    expect([rest.count, rest.columns, rest.labels]).toEqual([2, 2, [1, 1]]);
    for (const wrong of [[[1, 2, 3, 4]], [], ['1', '2', '3', '4']]) {
      expect(() => gridInputs(BOTH, { latents: wrong as unknown as number[] })).toThrow(
        'The latents must be one list of numbers, row by row.',
      );
    }
  });

  it('gives the number of images and columns that its inputs say when it is drawn', async () => {
    const generator = await Generator.load(conditionalFile(), { device: 'cpu' });
    const sweep = { code: 0, from: -1, to: 1, steps: 3 };
    const { columns, ...inputs } = gridInputs(generator.info, { sweep });
    const { data } = await generator.sample(inputs);
    // The tiny model draws its class, then its codes.
    const seen = Array.from({ length: 9 }, (_, k) => [...data.slice(6 * k, 6 * k + 3)]);
    const expected = [0, 1, 2].flatMap((label) => [-1, 0, 1].map((code) => [label, code, 0]));
    expect([columns, seen]).toEqual([3, expected]);
    await generator.dispose();
  });

  it.each<[string, ModelInfo, Parameters<typeof gridInputs>[1], RegExp]>([
    ['labels for a model without classes', GENERATOR, { labels: [0] }, /tiny has no classes/],
    ['codes for a model without codes', GENERATOR, { codes: { 0: 1 } }, /tiny takes no codes/],
    [
      'a code that the model does not have',
      BOTH,
      { codes: { 2: 1 } },
      /both has no code 2: its codes are 0 to 1/,
    ],
    [
      'a sweep of no steps',
      BOTH,
      { sweep: { code: 0, from: 0, to: 1, steps: 0 } },
      /steps of a sweep .* not 0/,
    ],
    ['no images', BOTH, { count: 0 }, /images must be a whole number from 1, not 0/],
    [
      'latents for another number of images',
      BOTH,
      { count: 2, latents: new Float32Array(4) },
      /2 × 4 latents, not 4/,
    ],
    ['too many images', BOTH, { count: 1e9 }, /too many at once/],
  ])('is refused: %s', (_, info, plan, message) => {
    expect(() => gridInputs(info, plan)).toThrow(UserError);
    expect(() => gridInputs(info, plan)).toThrow(message);
  });
});
