import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../src/errors.js';
import { normalQuantile } from '../src/random/normal.js';
import { fnv1a, type RandomStream, stream, threefry2x32 } from '../src/random/random.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const script = /```python\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
const python = (...args: string[]) =>
  execFileSync('python3', ['-', ...args], { input: script, encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as number[]);
const hasPython = spawnSync('python3', ['--version']).status === 0;

describe('threefry', () => {
  // Random123's kat_vectors: threefry2x32 20 <counter> <key> <answer>.
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x243f6a88, 0x85a308d3],
      [0x13198a2e, 0x03707344],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as [number, number][][])(
    'gives the same words as Random123 for the counter %j',
    (counter, key, answer) => {
      expect(threefry2x32(key as [number, number], counter as [number, number])).toEqual(answer);
    },
  );

  it('is keyed by FNV-1a hashes of strings, which have the published values', () => {
    // The published test vectors of FNV-1a, 32 bits.
    expect(['', 'a', 'foobar'].map(fnv1a)).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  });
});

describe('the random generator has the golden values', () => {
  // python3 random_stream.py 7 latents 5 (the script of the README).
  it('of stream(7, "latents")', () => {
    expect([...stream(7, 'latents').uint32(5)]).toEqual([
      2612183630, 3177727627, 3785842068, 2496944589, 1401877482,
    ]);
    expect([...stream(7, 'latents').uniform(5)]).toEqual([
      0.21639281511306763, 0.47974473237991333, 0.762920081615448, 0.1627303957939148,
      -0.3471999764442444,
    ]);
    expect([...stream(7, 'latents').normal(5)]).toEqual([
      0.27462127804756165, 0.6429519653320312, 1.1823171377182007, 0.20538726449012756,
      -0.44987568259239197,
    ]);
  });

  it.runIf(hasPython).each([
    ['0', 'latents', '2001'],
    ['9007199254740991', 'bruit é 雑音', '2000'],
  ])('of the README’s Python script for seed %s, path %s', (seed, path, n) => {
    const [words, uniform, normal] = python(seed, path, n);
    const make = () => stream(Number(seed), path);
    expect([...make().uint32(Number(n))]).toEqual(words);
    expect([...make().uniform(Number(n))]).toEqual(uniform);
    expect([...make().normal(Number(n))]).toEqual(normal);
  });

  it.runIf(hasPython)('of the normal quantile, within 1e-12 of Python’s', () => {
    const words = [0, 1, 2, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, ...stream(1, 'q').uint32(5000)];
    const program =
      'import json, sys; from statistics import NormalDist\n' +
      'print([NormalDist().inv_cdf((w + 0.5) / 2**32) for w in json.load(sys.stdin)])';
    const answer = execFileSync('python3', ['-c', program], { input: JSON.stringify(words) });
    const expected = JSON.parse(answer.toString()) as number[];
    const worst = Math.max(
      ...words.map((w, i) => Math.abs(normalQuantile(w) - (expected[i] as number))),
    );
    expect(worst).toBeLessThan(1e-12);
  });
});

describe('random streams', () => {
  it('have numbers that do not depend on how many are taken', () => {
    const all = stream(3, 'x').uint32(1001);
    for (const n of [0, 1, 2, 7, 1000]) expect(stream(3, 'x').uint32(n)).toEqual(all.slice(0, n));
    const pieces = stream(3, 'x');
    const joined = [1, 2, 3, 4, 5, 0, 986].flatMap((n) => [...pieces.uint32(n)]);
    expect(joined).toEqual([...all]);
  });

  it('continue from a given position', () => {
    const all = stream(3, 'x').normal(100);
    for (const position of [0, 1, 50, 99]) {
      const late = stream(3, 'x');
      late.position = position;
      expect(late.normal(100 - position)).toEqual(all.slice(position));
      expect(late.position).toBe(100);
    }
  });

  it('reach positions beyond 2^32 blocks', () => {
    const far = stream(0);
    far.position = 2 * 2 ** 32 + 6;
    expect([...far.uint32(2)]).toEqual(threefry2x32([0, 0], [3, 1]));
  });

  it('differ by seed and by path', () => {
    const first = (s: RandomStream) => s.uint32(2).join();
    const streams = [
      stream(0),
      stream(1),
      stream(2 ** 32),
      stream(0, 'a'),
      stream(0, 'b'),
      stream(0, 0),
      stream(0, 1),
      stream(0, fnv1a('a')),
      stream(0, 'a', 'b'),
      stream(0, 'b', 'a'),
      stream(0, 'a', 1),
      stream(0, 'a1'),
    ];
    expect(new Set(streams.map(first)).size).toBe(streams.length);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuse the seed %s', (seed) => {
    expect(() => stream(seed)).toThrow(UserError);
  });
});

describe('the distribution', () => {
  const n = 400_000;
  const moments = (values: Float32Array) => {
    const mean = (power: number) => values.reduce((sum, v) => sum + v ** power, 0) / values.length;
    return [mean(1), mean(2), mean(3), mean(4)] as [number, number, number, number];
  };
  // Six standard errors: a right generator fails once in 10^9 seeds, and the seed is fixed.
  const near = (value: number, expected: number, variance: number) =>
    expect(Math.abs(value - expected)).toBeLessThan(6 * Math.sqrt(variance / n));

  it('uniform has the right moments, and open and exact ends', () => {
    const values = stream(11, 'u').uniform(n);
    const [m1, m2, , m4] = moments(values);
    near(m1, 0, 1 / 3);
    near(m2, 1 / 3, 1 / 5 - 1 / 9);
    near(m4, 1 / 5, 1 / 9 - 1 / 25);
    expect(values.every((v) => Math.abs(v) < 1 && Number.isInteger(v * 2 ** 24))).toBe(true);
  });

  it('uniform takes any range', () => {
    const values = stream(11, 'u').uniform(1000, 2, 3);
    const base = stream(11, 'u').uniform(1000);
    expect(values).toEqual(base.map((v) => 2.5 + v / 2));
  });

  it('normal has the right moments', () => {
    const [m1, m2, m3, m4] = moments(stream(12, 'n').normal(n));
    near(m1, 0, 1);
    near(m2, 1, 2);
    near(m3, 0, 15);
    near(m4, 3, 96);
  });

  it('normal is antisymmetric and increasing in the word', () => {
    for (const word of [0, 1, 12345, 322122546, 322122547, 2 ** 31 - 1]) {
      expect(normalQuantile(2 ** 32 - 1 - word)).toBe(-normalQuantile(word));
      expect(normalQuantile(word + 1)).toBeGreaterThan(normalQuantile(word));
    }
  });

  it('of below is even within the limit (chi-squared)', () => {
    const limit = 10;
    const counts = new Array<number>(limit).fill(0);
    for (const v of stream(13).below(n, limit)) counts[v] = (counts[v] as number) + 1;
    expect(counts).toHaveLength(limit);
    const chi2 = counts.reduce((sum, c) => sum + (c - n / limit) ** 2 / (n / limit), 0);
    expect(chi2).toBeLessThan(33); // 9 degrees of freedom: p ≈ 0.00013
    expect(stream(13).below(3, 1)).toEqual(new Uint32Array(3));
    expect(stream(13).below(5, 2 ** 32)).toEqual(stream(13).uint32(5));
  });

  it('of below skips words that would favour small numbers', () => {
    // With this limit about half the words are passed over; the next values take their place.
    const limit = 2 ** 31 + 1;
    const words = stream(14).uint32(400);
    const expected = words.filter((w) => w < limit);
    expect(stream(14).below(100, limit)).toEqual(expected.slice(0, 100));
  });

  it('of permutations gives each order equally often', () => {
    const counts = new Map<string, number>();
    const random = stream(15);
    for (let i = 0; i < 24_000; i++) {
      const order = random.permutation(4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chi2 = [...counts.values()].reduce((sum, c) => sum + (c - 1000) ** 2 / 1000, 0);
    expect(chi2).toBeLessThan(60); // 23 degrees of freedom: p ≈ 4e-5
    expect([...random.permutation(1000)].sort((a, b) => a - b)).toEqual([...Array(1000).keys()]);
  });
});
