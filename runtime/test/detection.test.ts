import { describe, expect, it, test } from 'vitest';
import {
  Discriminator,
  detectionOf,
  highlights,
  type ModelInfo,
  nullOf,
  type Picture,
  pValue,
  regionsOf,
  type ScoreMap,
  suspicionMap,
  thresholdOf,
} from '../src/node/index.js';
import { stream } from '../src/random/random.js';
import { expectClose, sentence } from './helpers.js';
import { DISCRIMINATOR, discriminatorFile } from './tiny.js';

/** The definition: of all calibration values, those that are at least as large. */
const conformal = (values: ArrayLike<number>, suspicion: number): number =>
  (1 + Array.from(values).filter((value) => value >= suspicion).length) / (1 + values.length);

describe('p-values', () => {
  test('are those of the definition at each stored value, and not smaller between two', () => {
    const values = Float64Array.of(3, 1, 2, 2, 7, 5, 5, 5, -1);
    const normal = nullOf(values);
    for (const value of values) expect(pValue(normal, value)).toBe(conformal(values, value));
    for (const value of [-2, -1.5, -0.5, 1.5, 2.5, 4.9, 6, 7.1, 100]) {
      const p = pValue(normal, value);
      expect(p).toBeGreaterThanOrEqual(conformal(values, value));
      expect(p).toBeLessThanOrEqual(conformal(values, Math.min(7, value - 3)));
    }
    expect(pValue(normal, 100)).toBe(1 / 10);
    expect(pValue(normal, -100)).toBe(1);
    expect(pValue(normal, 6)).toBeCloseTo((5 / 10 + 2 / 10) / 2, 12);
  });

  test('of a hundred thousand values are near those of the definition, from a short list', () => {
    const values = stream(3, 'normal').normal(100_000);
    const normal = nullOf(values);
    expect(normal.suspicions.length).toBeLessThan(300);
    const sorted = Float64Array.from(values).sort();
    for (const share of [0.99999, 0.9999, 0.995, 0.9, 0.5, 0.1]) {
      const value = sorted[Math.floor(share * values.length)] as number;
      const exact = conformal(values, value);
      expect(Math.abs(pValue(normal, value) / exact - 1)).toBeLessThan(0.05);
    }
  });

  test('of normal pictures are at most p with a probability of p', () => {
    const trials = 4000;
    let found = 0;
    for (let k = 0; k < trials; k++) {
      const [own, ...others] = stream(k, 'pictures').normal(100);
      if (pValue(nullOf(Float64Array.from(others)), own as number) <= 0.05) found++;
    }
    // Five standard deviations of the binomial distribution; the seeds are fixed.
    const deviation = Math.sqrt((0.05 * 0.95) / trials);
    expect(Math.abs(found / trials - 0.05)).toBeLessThan(5 * deviation);
  });
});

describe('the suspicion of a pixel', () => {
  it.each([
    [1, 2, 1],
    [1, 3, 0],
    [2, 3, 2],
    [3, 2, 1],
  ])(
    'is the soft maximum over all fragments that hold it (stride %i, %i + 2 · %i)',
    (stride, internal, frame) => {
      const [width, height] = [11, 8];
      const side = internal + 2 * frame;
      const columns = Math.floor((width - internal) / stride) + 1;
      const rows = Math.floor((height - internal) / stride) + 1;
      const map: ScoreMap = {
        ...{ meaning: 'logit', rows, columns, stride },
        values: stream(1, 'scores').normal(rows * columns),
        first: { x: -frame, y: -frame, width: side, height: side },
      };
      const expected = Array.from({ length: width * height }, (_, at) => {
        const [x, y] = [at % width, Math.floor(at / width)];
        const own = [...map.values].filter((_, k) => {
          const [left, top] = [stride * (k % columns), stride * Math.floor(k / columns)];
          return x >= left && x < left + internal && y >= top && y < top + internal;
        });
        const mean = own.reduce((sum, score) => sum + Math.exp(-2 * score), 0) / own.length;
        return own.length > 0 ? Math.log(mean) / 2 : Math.min(...map.values.map((score) => -score));
      });
      expectClose(suspicionMap(map, { width, height }), expected, 1e-5);
    },
  );
});

describe('a detector of several scales', () => {
  const fragment = { internal: 2, frame: 1, scales: [1, 2, 3] };
  const info: ModelInfo = {
    ...DISCRIMINATOR,
    ...{ version: 2, name: 'scaled', fragment },
    image: { ...DISCRIMINATOR.image, height: 4, width: 4 },
  };
  const [width, height] = [13, 11];
  const data = stream(4, 'picture').uniform(width * height, 0, 1);

  /** The definition: the mean of a block, the sum of a fragment of blocks, black beyond the picture. */
  const scoreOf = (scale: number, row: number, column: number): number => {
    const [down, across] = [Math.floor(height / scale), Math.floor(width / scale)];
    let sum = 0;
    for (let y = row - 1; y < row + 3; y++) {
      for (let x = column - 1; x < column + 3; x++) {
        if (x < 0 || y < 0 || x >= across || y >= down) continue;
        for (let k = 0; k < scale ** 2; k++) {
          const [v, u] = [y * scale + Math.floor(k / scale), x * scale + (k % scale)];
          sum += (data[v * width + u] as number) / scale ** 2;
        }
      }
    }
    return sum;
  };

  test.each([1, 2])('fuses the fragments of all, one by one (stride %i)', async (stride) => {
    const model = await Discriminator.load(discriminatorFile(info), { device: 'cpu' });
    const told: number[] = [];
    const picture: Picture = { width, height, data, range: [0, 1] };
    const map = await model.scoreMap(picture, { stride, onProgress: (done) => told.push(done) });
    const all: { scale: number; row: number; column: number; score: number }[] = [];
    for (const [k, scale] of fragment.scales.entries()) {
      const own = [map, ...(map.coarser ?? [])][k] as ScoreMap;
      expect([own.stride, own.first.x, own.first.width]).toEqual([
        scale * stride,
        -scale,
        4 * scale,
      ]);
      const [down, across] = [height, width].map(
        (side) => Math.floor((Math.floor(side / scale) - 2) / stride) + 1,
      ) as [number, number];
      expect([own.rows, own.columns]).toEqual([down, across]);
      const scores = Array.from(own.values, (_, at) => {
        const [row, column] = [stride * Math.floor(at / across), stride * (at % across)];
        const score = scoreOf(scale, row, column);
        all.push({ scale, row, column, score });
        return score;
      });
      expectClose(own.values, scores, 1e-5);
    }
    expect(told.at(-1)).toBe(all.length);
    const expected = Array.from({ length: width * height }, (_, at) => {
      const [x, y] = [at % width, Math.floor(at / width)];
      const own = all.filter(({ scale, row, column }) => {
        const [left, top, side] = [scale * column, scale * row, scale * 2];
        return x >= left && x < left + side && y >= top && y < top + side;
      });
      const mean = own.reduce((sum, { score }) => sum + Math.exp(-2 * score), 0) / own.length;
      return own.length > 0 ? Math.log(mean) / 2 : Math.max(...all.map(({ score }) => score)) * -1;
    });
    expectClose(suspicionMap(map, picture), expected, 1e-4);
    await model.dispose();
  });

  test.each([[[1, 3, 2]], [[2, 3]], [[1, 1]], [[]]])(
    'refuses scales that do not rise from 1: %o',
    async (scales) => {
      const lie: ModelInfo = { ...info, fragment: { ...fragment, scales } };
      const model = await Discriminator.load(discriminatorFile(lie), { device: 'cpu' });
      expect(await sentence(model.scoreMap({ width, height, data, range: [0, 1] }))).toMatch(
        /^scaled has invalid metadata: fragment\.scales should begin with 1 and rise, not be /,
      );
      await model.dispose();
    },
  );

  test('refuses a picture that is smaller than its largest fragment', async () => {
    const model = await Discriminator.load(discriminatorFile(info), { device: 'cpu' });
    const small: Picture = { width: 5, height: 9, data: new Float32Array(45) };
    expect(await sentence(model.scoreMap(small))).toBe(
      'A picture of 5×9 pixels is too small for scaled, which scores windows of 6×6.',
    );
    await model.dispose();
  });
});

test('regions join pixels at sides and corners, and are numbered in reading order', () => {
  const rows = ['#..##', '.#...', '....#', '##..#'];
  const mask = [...rows.join('')].map((c) => Number(c === '#'));
  const { labels, count } = regionsOf(mask, 5);
  expect(count).toBe(4);
  expect([...labels]).toEqual([1, 0, 0, 2, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 4, 4, 0, 0, 3]);
});

/** A discriminator of fragments of 2 + 2 · 1 pixels, whose score is their sum: dark is suspicious. */
const { calibration, ...plain }: ModelInfo = {
  ...DISCRIMINATOR,
  name: 'dark',
  image: { ...DISCRIMINATOR.image, height: 4, width: 4 },
  fragment: { internal: 2, frame: 1 },
  calibration: undefined as never,
};
const worst = nullOf(Float64Array.from({ length: 99 }, (_, k) => -7.5 - k / 100));
const calibrated: ModelInfo = {
  ...plain,
  calibration: {
    data: { name: 'pictures', pictures: 99, pixels: 120 },
    parts: nullOf(Float64Array.from({ length: 1000 }, (_, k) => -8 - k / 1000)),
    worst,
  },
};
const load = (info: ModelInfo) => Discriminator.load(discriminatorFile(info), { device: 'cpu' });

/** White with a frame of grey, so that no fragment at the edge is dark, and a black square. */
const withSquare = (side: number): Picture => {
  const [width, height] = [12, 10];
  const data = new Float32Array(width * height).fill(0.9);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (x < 2 || y < 2 || x > 9 || y > 7) data[y * width + x] = 2; // as bright as to make up for the black
      if (x >= 5 && x < 5 + side && y >= 4 && y < 4 + side) data[y * width + x] = 0;
    }
  }
  return { width, height, data, range: [0, 1] };
};

describe('detect', () => {
  test('finds a square that does not belong, its place and how rare it is', async () => {
    const model = await load(calibrated);
    const found = await model.detect(withSquare(4));
    expect([found.p, found.least, found.threshold]).toEqual([0.01, 0.01, 0.01]);
    expect(found.regions.length).toBe(1);
    const [{ x, y, width, height, p, pixels }] = found.regions as [(typeof found.regions)[0]];
    expect(p).toBe(0.01);
    expect(x >= 4 && x <= 6 && x + width >= 8 && x + width <= 10).toBe(true);
    expect(y >= 3 && y <= 5 && y + height >= 7 && y + height <= 9).toBe(true);
    expect(found.mask.reduce((a, b) => a + b)).toBe(pixels);
    expect(found.mask[5 * 12 + 6]).toBe(1);
    const marks = highlights(model.info, found);
    expect([...marks.subarray(4 * (5 * 12 + 6), 4 * (5 * 12 + 6) + 4)]).toEqual([255, 0, 70, 255]);
    expect(marks[3]).toBe(0);
    await model.dispose();
  });

  test('finds nothing in a picture like the normal ones', async () => {
    const model = await load(calibrated);
    const { p, regions, mask } = await model.detect(withSquare(0));
    expect(p).toBeGreaterThan(0.9);
    expect(regions).toEqual([]);
    expect(mask.every((inside) => inside === 0)).toBe(true);
    await model.dispose();
  });

  test('p-values of scores are those of the calibration', async () => {
    const model = await load(calibrated);
    const values = Float32Array.of(20, 8.5, 7);
    const ps = await model.pValues({ meaning: 'logit', values });
    expectClose(ps, [1, 502 / 1001, 1 / 1001], 1e-9);
    await model.dispose();
  });

  test('says what is missing', async () => {
    const bare = await load(plain);
    expect(await sentence(bare.detect(withSquare(3)))).toBe(
      'dark has no p-values, because it is not calibrated: run gpn-cli calibrate with normal pictures.',
    );
    expect(await sentence(bare.pValues({ meaning: 'logit', values: Float32Array.of(1) }))).toMatch(
      /not calibrated/,
    );
    await bare.dispose();
    const model = await load(calibrated);
    expect(await sentence(model.detect(withSquare(3), { threshold: 0.001 }))).toBe(
      'The threshold 0.001 cannot be met: dark is calibrated with 99 pictures, so its smallest p-value is 1/100. Calibrate it with at least 999.',
    );
    expect(await sentence(model.detect(withSquare(3), { threshold: 2 }))).toMatch(
      /at most 1, not 2/,
    );
    await model.dispose();
    expect(thresholdOf(calibrated)).toBe(0.01);
    const { fragment, ...whole } = calibrated;
    const map = { values: Float32Array.of(1) } as ScoreMap;
    expect(() => detectionOf(whole, map, { width: 1, height: 1 })).toThrow('finds no places');
  });
});

test.each([
  { data: 3 },
  { ...calibrated.calibration, parts: { count: 5, suspicions: [2, 1], ranks: [1] } },
  { ...calibrated.calibration, worst: { count: 2, suspicions: [2, 'x'], ranks: [1, 2] } },
  null,
])('a calibration that does not fit together is refused where it is used (%#)', async (wrong) => {
  const model = await load({ ...plain, calibration: wrong as never });
  const scores = { meaning: 'logit', values: Float32Array.of(1) } as const;
  expect(await sentence(model.pValues(scores))).toBe(
    'dark has an invalid calibration: calibrate it again with gpn-cli calibrate.',
  );
  await model.dispose();
});
