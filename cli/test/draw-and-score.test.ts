// `sample`, `score`, `verify` and `models` of the built command, on models whose output is a simple sum.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  makeCertificate,
  openSession,
  PREPARATION,
  pathOf,
  prepare,
  readNpy,
  writeNpy,
} from '@gpn/runtime';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DISCRIMINATOR,
  discriminatorFile,
  GENERATOR,
  generate,
  generatorFile,
} from '../../runtime/test/tiny.js';
import { gpn, listing, scratchFolder } from '../../test/cli.js';

const folder = scratchFolder();
const at = (name: string) => join(folder, name);
const run = (...args: string[]) => gpn(folder, ...args);

beforeAll(async () => {
  const session = await openSession(generatorFile(), { device: 'cpu' });
  const certificate = await makeCertificate(session, GENERATOR);
  await session.dispose();
  writeFileSync(at('g.onnx'), generatorFile({ ...GENERATOR, certificate }));
  const lying = { ...certificate, mean: certificate.mean + 1 };
  writeFileSync(at('lying.onnx'), generatorFile({ ...GENERATOR, certificate: lying }));
  writeFileSync(at('d.onnx'), discriminatorFile());
  // 6×4 grey pixels: 0, 10, 20 … 230.
  const raw = { width: 6, height: 4, channels: 1 as const };
  const pixels = Uint8Array.from({ length: 24 }, (_, i) => 10 * i);
  await sharp(pixels, { raw }).png().toFile(at('ramp.png'));
  writeFileSync(at('text.png'), 'no picture');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, within = 1e-5) => {
  expect(actual.length).toBe(expected.length);
  const worst = Math.max(...Array.from(actual, (v, i) => Math.abs(v - (expected[i] as number))));
  expect(worst).toBeLessThan(within);
};

describe('sample', () => {
  test('walks from one seed to another, as values and as animations', async () => {
    expect(
      run('sample', '--model', 'g.onnx', '--interpolate', '1:2:5', '--out', 'w.npy').code,
    ).toBe(0);
    const { shape, data } = readNpy(readFileSync(at('w.npy')));
    expect(shape).toEqual([5, 2, 3, 1]);
    close(data, generate(pathOf(GENERATOR, 1, 2, 5).latents));
    for (const name of ['w.gif', 'w.webp']) {
      const { code, stderr } = run(
        'sample',
        '--model',
        'g.onnx',
        '--interpolate',
        '1:2:5',
        '--out',
        name,
      );
      expect(code, stderr).toBe(0);
      const { pages, width, pageHeight, loop } = await sharp(at(name), { pages: -1 }).metadata();
      expect([pages, width, pageHeight, loop]).toEqual([5, 336, 224, 0]);
    }
    // WebP is lossless: the middle of each enlarged pixel is that of the image.
    const { data: frames } = await sharp(at('w.webp'), { pages: -1 })
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const middle = (k: number, y: number, x: number) =>
      frames[((k * 224 + y * 112 + 56) * 336 + x * 112 + 56) * 3] as number;
    const expected = Array.from(data, (v) => (v + 1) * 127.5);
    const found = expected.map((_, i) => middle(Math.floor(i / 6), Math.floor(i / 3) % 2, i % 3));
    close(found, expected, 0.6);
  });

  test('draws from latents in a file, and to the standard output', () => {
    const latents = Float32Array.of(0, 0, 0, 0, 1, -1, 0.5, 2);
    writeFileSync(at('z.npy'), writeNpy(latents, [2, 4]));
    expect(run('sample', '--model', 'g.onnx', '--latents', 'z.npy', '--out', 'x.npy').code).toBe(0);
    close(readNpy(readFileSync(at('x.npy'))).data, generate(latents));
    const { code, stdout, stderr } = run(
      'sample',
      '--model',
      'g.onnx',
      '--count',
      '1',
      '--out',
      '-',
    );
    expect([code, stdout.slice(1, 4)]).toEqual([0, 'PNG']);
    expect(stderr).toMatch(/^Drew 1 image/);
  });

  test.each([
    [['--interpolate', '1:2'], /must be A:B:N/],
    [['--interpolate', '1:2:1'], /from 2 to/],
    [['--interpolate', '1:2:3', '--count', '4'], /cannot be used with/],
    [['--latents', 'none.npy'], /Cannot read none\.npy/],
    [['--latents', 'ramp.png'], /ramp\.png is not a \.npy file/],
    [['--label', '1'], /takes no labels/],
    [['--label', 'all'], /takes no labels/],
    [['--code', '0=1'], /takes no codes/],
    [['--code', '0=1:2'], /must be K=VALUE or K=FROM:TO:N/],
    [['--code', '0=0:1:3', '--code', '1=0:1:3'], /Only one code can be swept at a time/],
    [['--out', 'x.avi'], /must end in \.png, \.gif, \.webp, \.mp4/],
  ])('refuses %j', (args, message) => {
    const before = listing(folder);
    const { code, stderr } = run('sample', '--model', 'g.onnx', ...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(listing(folder)).toEqual(before);
  });
});

describe('score', () => {
  // The model's score is the sum of 2×3 pixels in [0, 1].
  const sum = (x: number, y: number) => {
    const first = y * 6 + x;
    const places = [0, 1, 2, 6, 7, 8].map((step) => first + step);
    return places.reduce((total, place) => total + (10 * place) / 255, 0);
  };

  test('scores a rectangle, and prints JSON and CSV', () => {
    const { stdout } = run('score', '--model', 'd.onnx', '--rect', '2,1,3,2', 'ramp.png', '--json');
    const [row] = JSON.parse(stdout);
    expect(row).toMatchObject({ image: 'ramp.png', meaning: 'logit' });
    expect(row.score).toBeCloseTo(sum(2, 1), 5);
    expect(row.probability).toBeCloseTo(1 / (1 + Math.exp(-sum(2, 1))), 6);
    const csv = run(
      'score',
      '--model',
      'd.onnx',
      '--rect',
      '2,1,3,2',
      'ramp.png',
      'ramp.png',
      '--csv',
    );
    const [head, ...lines] = csv.stdout.trim().split('\n');
    expect(head).toBe('image,score,meaning,probability');
    expect(lines).toHaveLength(2);
    expect(lines[1]).toBe(`ramp.png,${row.score},logit,${row.probability}`);
  });

  test('scores folders and many files; one that is bad does not stop the others', async () => {
    mkdirSync(at('pictures/deep'), { recursive: true });
    const raw = { width: 3, height: 2, channels: 1 as const };
    for (const [name, level] of [
      ['a.png', 51],
      ['deep/b.webp', 102],
    ] as const) {
      const picture = sharp(new Uint8Array(6).fill(level), { raw });
      const bytes = await (name.endsWith('png')
        ? picture.png()
        : picture.webp({ lossless: true })
      ).toBuffer();
      writeFileSync(at(`pictures/${name}`), bytes);
    }
    writeFileSync(at('pictures/empty.png'), '');
    writeFileSync(at('pictures/notes.txt'), 'none');
    const scored = (...args: string[]) => {
      const { code, stdout, stderr } = run('score', '--model', 'd.onnx', '--json', ...args);
      const rows = JSON.parse(stdout) as { image: string; score: number }[];
      return { code, stderr, scores: rows.map(({ image, score }) => [image, score.toFixed(4)]) };
    };
    const good = [
      ['pictures/a.png', (6 * 0.2).toFixed(4)],
      ['pictures/deep/b.webp', (6 * 0.4).toFixed(4)],
    ];
    expect(scored('pictures/a.png', 'pictures/deep')).toEqual({
      code: 0,
      stderr: '',
      scores: good,
    });
    expect(scored('text.png', 'pictures', 'none.png')).toEqual({
      code: 2,
      stderr:
        'gpn-cli: 3 of 5 pictures were not scored: text.png is not a picture; ' +
        'pictures/empty.png is empty; none.png cannot be read: no such file or folder.\n',
      scores: good,
    });
  });

  test('prepares a whole picture as the file says', async () => {
    // Black, white, black: the middle third of the picture is cut out, or all of it shown.
    const raw = { width: 18, height: 4, channels: 1 as const };
    const pixels = Uint8Array.from({ length: 72 }, (_, i) =>
      i % 18 >= 7 && i % 18 < 11 ? 255 : 0,
    );
    await sharp(pixels, { raw }).png().toFile(at('stripe.png'));
    const score = (file: string) => {
      const { stdout } = run('score', '--model', file, '--json', 'stripe.png');
      return (JSON.parse(stdout) as { score: number }[])[0]?.score;
    };
    const { image } = DISCRIMINATOR;
    const contain = {
      ...PREPARATION,
      fit: 'contain' as const,
      background: [255, 255, 255] as [number, number, number],
    };
    writeFileSync(
      at('contain.onnx'),
      discriminatorFile({ ...DISCRIMINATOR, image: { ...image, preparation: contain } }),
    );
    const levels = [...prepare({ width: 18, height: 4, data: pixels }, image, contain)];
    expect(score('contain.onnx')).toBeCloseTo(
      levels.reduce((a, b) => a + b / 255, 0),
      5,
    );
    const middle = [...prepare({ width: 18, height: 4, data: pixels }, image)];
    // A black, white and white pixels with the weights 3, 3 and 1 of a triangle cut at the edge.
    const edge = Math.round((255 * 4) / 7);
    expect(middle).toEqual([edge, 255, edge, edge, 255, edge]);
    expect(score('d.onnx')).toBeCloseTo(
      middle.reduce((a, b) => a + b / 255, 0),
      5,
    );
  });

  test('writes a map, as values and as a picture', async () => {
    expect(
      run('score', '--model', 'd.onnx', '--map', 'm.npy', '--stride', '1', 'ramp.png').code,
    ).toBe(0);
    const { shape, data } = readNpy(readFileSync(at('m.npy')));
    expect(shape).toEqual([3, 4]);
    close(
      data,
      Array.from({ length: 12 }, (_, k) => sum(k % 4, Math.floor(k / 4))),
    );
    const { stdout } = run(
      'score',
      '--model',
      'd.onnx',
      '--map',
      'm.png',
      '--stride',
      '1',
      'ramp.png',
    );
    expect(stdout).toMatch(/m\.png: 4 × 3 windows/);
    const { data: heat, info } = await sharp(at('m.png'))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([6, 4]);
    // The least score is dark violet, the largest yellow, over the picture's 0 and 230.
    expect([...heat.subarray(0, 3)]).toEqual([29, 11, 49]);
    expect([...heat.subarray(-3)]).toEqual([242, 230, 122]);
  });

  test.each([
    [['text.png'], /text\.png is not a picture\.$/m],
    [['none.png'], /none\.png cannot be read/],
    [['ramp.png', '--rect', '5,0,3,2'], /5,0,3,2 is not within the picture of 6×4/],
    [['ramp.png', '--rect', '5,0,3'], /must be x,y,width,height/],
    [['ramp.png', '--map', 'm.jpg'], /must end in \.png or \.npy/],
    [['ramp.png', 'ramp.png', '--map', 'm.png'], /one picture at a time/],
    [['ramp.png', '--json', '--csv'], /cannot be used with/],
    [['ramp.png', '--model', 'g.onnx'], /is a generator/],
  ])('refuses %j', (args, message) => {
    const { code, stderr } = run('score', '--model', 'd.onnx', ...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('verify', () => {
  test('compares results on every device, and says which devices cannot be used', () => {
    const { code, stdout } = run('verify', 'g.onnx', '--json');
    expect(code).toBe(0);
    const { devices } = JSON.parse(stdout);
    expect(devices.map(({ device }: { device: string }) => device)).toEqual([
      'cpu',
      'wasm',
      'webgpu',
      'cuda',
    ]);
    expect(devices[0]).toEqual({ device: 'cpu', ok: true, difference: 0, tolerance: 1e-5 });
    for (const { ok, reason } of devices) expect(ok ?? reason).toBeTruthy();
  });

  test('checks extractors of features too', async () => {
    const { scores: _, ...info } = { ...DISCRIMINATOR, kind: 'features' as const };
    const session = await openSession(discriminatorFile(info), { device: 'cpu' });
    const certificate = await makeCertificate(session, info);
    await session.dispose();
    writeFileSync(at('f.onnx'), discriminatorFile({ ...info, certificate }));
    const { code, stdout, stderr } = run('verify', 'f.onnx');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^cpu +the same: largest difference 0\.0e\+0/);
  });

  test('reports a model that computes other values', () => {
    const { code, stdout, stderr } = run('verify', 'lying.onnx');
    expect(code).toBe(2);
    expect(stdout).toMatch(/^cpu +DIFFERENT: largest difference 1\.0e\+0, allowed 0\.00001\n/);
    expect(stderr).toMatch(/lying\.onnx computes other values on cpu/);
    expect(run('verify', 'd.onnx').stderr).toMatch(/contains no certificate/);
  });
});

test('models lists the bundled models, as text and as JSON', () => {
  const listed = JSON.parse(run('models', '--json').stdout) as { name: string; path: string }[];
  const printed = run('models').stdout;
  if (listed.length === 0) expect(printed).toBe('No model is bundled.\n');
  for (const { name, path } of listed) {
    expect(printed).toContain(name);
    expect(readFileSync(path).length).toBeGreaterThan(0);
  }
});
