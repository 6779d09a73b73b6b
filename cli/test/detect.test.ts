// `calibrate` and `score` with p-values, by the built command, on a model whose score is a simple sum.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { metadataOf, readModelInfo, stream } from '@gpn/runtime';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { DISCRIMINATOR, discriminatorFile } from '../../runtime/test/tiny.js';
import { gpn, scratchFolder } from '../../test/cli.js';

const folder = scratchFolder();
const at = (name: string) => join(folder, name);
const run = (...args: string[]) => gpn(folder, ...args);

/** Fragments of 2 + 2 · 1 pixels, whose score is their sum: dark is suspicious. */
const dark = discriminatorFile({
  ...DISCRIMINATOR,
  name: 'dark',
  image: { ...DISCRIMINATOR.image, height: 4, width: 4 },
  fragment: { internal: 2, frame: 1 },
});

const SIDE = 12;

/** Light noise inside a white border, so that no edge is dark; perhaps with a black square. */
async function picture(name: string, seed: number, square = 0): Promise<void> {
  const noise = stream(seed, 'picture').uniform(SIDE * SIDE, 150, 190);
  const pixels = Uint8Array.from(noise, (light, k) => {
    const [x, y] = [k % SIDE, Math.floor(k / SIDE)];
    if (x < 2 || y < 2 || x > 9 || y > 9) return 255;
    return x >= 4 && x < 4 + square && y >= 4 && y < 4 + square ? 0 : light;
  });
  const raw = { width: SIDE, height: SIDE, channels: 1 as const };
  await sharp(pixels, { raw }).png().toFile(at(name));
}

const NORMAL = 120;

beforeAll(async () => {
  for (const name of ['normal', 'few', 'small', 'test']) mkdirSync(at(name));
  writeFileSync(at('d.onnx'), dark);
  writeFileSync(at('whole.onnx'), discriminatorFile());
  for (let k = 0; k < NORMAL; k++) await picture(`normal/${k}.png`, k);
  for (let k = 0; k < 3; k++) await picture(`few/${k}.png`, k);
  await picture('test/good.png', 1000);
  await picture('test/bad.png', 1001, 4);
  const tiny = { create: { width: 1, height: 1, channels: 3 as const, background: 'white' } };
  for (let k = 0; k < 20; k++)
    await sharp(tiny)
      .png()
      .toFile(at(`small/${k}.png`));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('calibrate', () => {
  test('writes how normal pictures score into the file, and leaves the network alone', () => {
    const { code, stdout, stderr } = run('calibrate', 'd.onnx', '--data', 'normal', '-o', 'c.onnx');
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('14,520 fragments of 120 normal pictures (normal)');
    expect(stdout).toContain('The smallest p-value of a picture is 1/121');
    const bytes = readFileSync(at('c.onnx'));
    const { calibration, ...rest } = readModelInfo(bytes);
    expect(calibration?.data).toEqual({ name: 'normal', pictures: NORMAL, pixels: SIDE * SIDE });
    expect([calibration?.parts.count, calibration?.worst?.count]).toEqual([14_520, NORMAL]);
    expect(rest).toEqual(readModelInfo(dark));
    expect(Object.keys(metadataOf(bytes))).toEqual(Object.keys(metadataOf(dark)));
  });

  test.each([
    [
      ['d.onnx', '--data', 'few'],
      'few has 3 pictures, too few to calibrate with: the smallest p-value would be 1/4. Give at least 19, and 99 for a threshold of 0.01.',
    ],
    [
      ['d.onnx', '--data', 'small'],
      'small/0.png cannot be calibrated with: A picture of 1×1 pixels is too small for dark, which scores windows of 2×2.',
    ],
    [
      ['d.onnx', '--data', 'none'],
      '--data none is not there: give a folder of normal pictures, or mnist or fashion.',
    ],
    [
      ['gpn-mnist-discriminator', '--data', 'normal'],
      'gpn-mnist-discriminator is not a file that can be changed: give -o FILE.onnx.',
    ],
    [['d.onnx', '--data', 'd.onnx'], '--data d.onnx is a file'],
  ])('says what is wrong (%#)', (args, sentence) => {
    const { code, stderr } = run('calibrate', ...args);
    expect(stderr).toContain(sentence);
    expect(code).toBe(2);
  });
});

describe('score with a calibrated model', () => {
  test('finds the pictures that do not belong, where, and ends with 3', () => {
    const { code, stdout, stderr } = run(
      'score',
      '--model',
      'c.onnx',
      '--threshold',
      '0.01',
      '--json',
      'test',
    );
    expect(code, stderr).toBe(3);
    const [bad, good] = JSON.parse(stdout);
    expect([bad.image, bad.anomalous, bad.regions.length]).toEqual(['test/bad.png', true, 1]);
    expect(bad.p).toBeCloseTo(1 / 121, 9);
    const [{ x, y, width, height, p }] = bad.regions;
    expect([x + width / 2, y + height / 2]).toEqual([6, 6]);
    expect([width, p]).toEqual([height, bad.p]);
    expect([good.image, good.anomalous, good.regions]).toEqual(['test/good.png', false, []]);
    expect(good.p).toBeGreaterThan(0.01);
  });

  test('ends with 0 where there is nothing to find', () => {
    const { code, stdout } = run(
      'score',
      '--model',
      'c.onnx',
      '--threshold',
      '0.01',
      'test/good.png',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/; p 0\.\d+, normal\n$/);
  });

  test('writes a mask and a map over the picture in grey', async () => {
    const args = ['--mask', 'mask.png', '--map', 'map.png', 'test/bad.png'];
    const { code, stdout, stderr } = run('score', '--model', 'c.onnx', ...args);
    expect(code, stderr).toBe(0); // no verdict was asked for
    expect(stdout).toContain('mask.png: the mask');
    const pixels = (name: string) => sharp(at(name)).raw().toBuffer({ resolveWithObject: true });
    const mask = await pixels('mask.png');
    const map = await pixels('map.png');
    expect([mask.info.width, mask.info.height]).toEqual([SIDE, SIDE]);
    const channels = mask.info.channels;
    for (let k = 0; k < SIDE * SIDE; k++) {
      const [red, green, blue] = [0, 1, 2].map((c) => map.data[3 * k + c]);
      expect([0, 255]).toContain(mask.data[channels * k]);
      expect(red === green && green === blue).toBe(mask.data[channels * k] === 0);
    }
    expect(mask.data[channels * (6 * SIDE + 6)]).toBe(255);
    expect(mask.data[0]).toBe(0);
  });

  test('has a column for p-values', () => {
    const { stdout } = run('score', '--model', 'c.onnx', '--csv', 'test');
    expect(stdout).toMatch(
      /^image,score,meaning,probability,p,anomalous\ntest\/bad.png,.*,0\.008\d*,\n/,
    );
  });

  test.each([
    [
      ['d.onnx', '--threshold', '0.01', 'test/good.png'],
      'dark has no p-values, because it is not calibrated: run gpn-cli calibrate with normal pictures.',
    ],
    [['d.onnx', '--mask', 'm.png', 'test/good.png'], 'dark has no p-values'],
    [
      ['c.onnx', '--threshold', '0.001', 'test/good.png'],
      'its smallest p-value is 1/121. Calibrate it with at least 999.',
    ],
    [['c.onnx', '--mask', 'm.jpg', 'test/good.png'], '--mask m.jpg must end in .png.'],
    [['c.onnx', '--mask', 'm.png', 'test'], '--mask takes one picture at a time.'],
    [['c.onnx', '--threshold', '0', 'test'], 'It must be a number above 0, at most 1.'],
  ])('says what is wrong (%#)', (args, sentence) => {
    const { code, stderr } = run('score', '--model', ...args);
    expect(stderr).toContain(sentence);
    expect(code).toBe(2);
  });
});

describe('a detector of a folder', () => {
  test('is calibrated with the pictures that were held out, as soon as it is trained', async () => {
    mkdirSync(at('many'));
    for (let k = 0; k < 40; k++) await picture(`many/${k}.png`, 3000 + k);
    const made = run('new', 'many', '--detector', '-o', 'many.yml', '--size', '16', '--steps', '2');
    expect(made.stdout).toContain('24 of them are held out, to calibrate the detector with.');
    const written = readFileSync(at('many.yml'), 'utf8');
    // Of two scales, which patches do not have.
    const { model, training, ...others } = parse(written);
    const { patches, ...predictive } = training.predictive;
    expect(patches).toEqual({ internal: 16, regions: 1, turned: false });
    model.fragment = { internal: 4, frame: 7, stride: 1, scales: [1, 2] };
    predictive.region = { ...predictive.region, smallest: 4, largest: 7 };
    writeFileSync(
      at('many.yml'),
      stringify({ ...others, model, training: { ...training, predictive } }),
    );
    const { code, stdout, stderr } = run('train', 'many.yml', '--out', 'run', '--device', 'cpu');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('24 of 40 pictures of');
    expect(stdout).toContain('24 normal pictures (held-out part of many)');
    expect(stdout).toContain('--threshold can be 0.040 or more');
    const { calibration, fragment } = readModelInfo(readFileSync(at('run/discriminator.onnx')));
    expect(calibration?.data).toEqual({
      ...{ name: 'held-out part of many', pictures: 24, pixels: SIDE * SIDE },
    });
    expect(fragment).toEqual({ internal: 4, scales: [1, 2], frame: 7, stride: 1 });
    const scored = run('score', '--model', 'run/discriminator.onnx', '--threshold', '0.05', 'test');
    expect([0, 3]).toContain(scored.code);
    expect(scored.stdout).toMatch(/test\/good\.png: .*p [01]\.\d+/);
  });

  test('starts from a trained one', () => {
    const [trained, quick] = [
      ['--from', 'run/discriminator.onnx'],
      ['--steps', '1', '--size', '16'],
    ];
    const made = run('new', 'many', '--detector', ...trained, '-o', 'then.yml', ...quick);
    expect(made.code, made.stderr).toBe(0);
    const { model } = parse(readFileSync(at('then.yml'), 'utf8'));
    expect(model).toMatchObject({ width: 16, from: 'run/discriminator.onnx', batch_norm: false });
    expect(model.fragment).toMatchObject({ internal: 4, frame: 7 });
    const { code, stderr } = run('train', 'then.yml', '--out', 'then', '--device', 'cpu');
    expect(code, stderr).toBe(0);
    const noted = parse(readFileSync(at('then/recipe.yml'), 'utf8')).model;
    expect(noted.from_sha256).toMatch(/^[0-9a-f]{64}$/);
    rmSync(at('run'), { recursive: true });
    const without = run('train', 'then.yml', '--out', 'none');
    expect([without.code, without.stderr]).toEqual([
      2,
      expect.stringMatching(/Cannot read .*discriminator\.onnx: no such file/),
    ]);
  });

  test('names what cannot be started from', () => {
    const alone = run('new', 'many', '--from', 'texture-detector', '-o', 'x.yml');
    const digits = ['--from', 'gpn-mnist-detector', '-o', 'x.yml'];
    const grey = ['--from', 'texture-detector', '--channels', '1', '-o', 'x.yml'];
    const shallow = run('new', 'many', '--detector', ...digits);
    const channels = run('new', 'many', '--detector', ...grey);
    expect([alone, shallow, channels].map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(alone.stderr).toContain(
      '--from is for detectors: give --detector too, or leave it out.',
    );
    expect(shallow.stderr).toContain('is no detector of the network gpn-deep');
    expect(channels.stderr).toContain(
      'texture-detector has 3 channels, so its recipe cannot have 1',
    );
  });

  test('needs enough pictures, large enough ones, and says so before it trains', async () => {
    const tooFew = run('new', 'few', '--detector');
    expect([tooFew.code, tooFew.stderr]).toEqual([
      2,
      expect.stringContaining(
        'few has 3 normal pictures: a detector needs at least 16 to train with',
      ),
    ]);
    const tiny = { create: { width: 3, height: 9, channels: 3 as const, background: 'white' } };
    mkdirSync(at('mixed'));
    for (let k = 0; k < 40; k++)
      await sharp(tiny)
        .png()
        .toFile(at(`mixed/${k}.png`));
    expect(run('new', 'mixed', '--detector', '--size', '16').code).toBe(0);
    const small = run('train', 'mixed.yml', '--out', 'none');
    expect(small.stderr).toContain(
      "has 3 × 9 pixels, and a fragment's internal part 4 × 4: the detector cannot be calibrated with it.",
    );
    expect([small.code, existsSync(at('none'))]).toEqual([2, false]);
  });
});

describe('a report', () => {
  test('shows the worst first, and with masks says how well they were found', async () => {
    mkdirSync(at('ground_truth/test'), { recursive: true });
    const mask = Uint8Array.from({ length: SIDE * SIDE }, (_, k) => {
      const [x, y] = [k % SIDE, Math.floor(k / SIDE)];
      return x >= 4 && x < 8 && y >= 4 && y < 8 ? 255 : 0;
    });
    const raw = { width: SIDE, height: SIDE, channels: 1 as const };
    await sharp(mask, { raw }).png().toFile(at('ground_truth/test/bad_mask.png'));
    const args = ['--report', 'r.html', '--masks', 'ground_truth', '--threshold', '0.01', 'test'];
    const { code, stderr } = run('score', '--model', 'c.onnx', ...args);
    expect(code, stderr).toBe(3);
    expect(stderr).toContain('AUROC of pictures: 1.0000');
    expect(stderr).toMatch(/AUROC of pixels: (1\.0|0\.9)/);
    const html = readFileSync(at('r.html'), 'utf8');
    expect(html.indexOf('test/bad.png')).toBeLessThan(html.indexOf('test/good.png'));
    expect(html).toContain(
      'In <b>1</b> of 2 something is as rare as in at most 1 % of normal pictures.',
    );
    expect(html.match(/data:image\/png/g)).toHaveLength(4);
    expect(html.match(/data:image\/svg/g)).toHaveLength(2);
    expect(html).not.toMatch(/src="(?!data:)/);
  });

  test('of a folder that is laid out like MVTec AD’s has its test pictures and its masks', async () => {
    for (const name of [
      'train/good',
      'test/good',
      'test/broken',
      'test/dark',
      'ground_truth/broken',
    ]) {
      mkdirSync(at(`bottle/${name}`), { recursive: true });
    }
    mkdirSync(at('bottle/ground_truth/dark'));
    await picture('bottle/train/good/000.png', 2000);
    for (const k of [0, 1]) await picture(`bottle/test/good/00${k}.png`, 2001 + k);
    for (const kind of ['broken', 'dark']) {
      await picture(`bottle/test/${kind}/000.png`, 2010, 4);
      copyFileSync(
        at('ground_truth/test/bad_mask.png'),
        at(`bottle/ground_truth/${kind}/000_mask.png`),
      );
    }
    const args = ['score', '--model', 'c.onnx', '--report', 'b.html', 'bottle'];
    const { code, stdout, stderr } = run(...args, '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).map(({ image }: { image: string }) => image)).toEqual(
      ['broken/000', 'dark/000', 'good/000', 'good/001'].map((name) => `bottle/test/${name}.png`),
    );
    for (const name of ['pictures', 'pictures, broken', 'pictures, dark']) {
      expect(stderr).toContain(`AUROC of ${name}: 1.0000`);
    }
    expect(stderr).toMatch(/AUROC of pixels: (1\.0|0\.9)/);
    rmSync(at('bottle/ground_truth/dark/000_mask.png'));
    const without = run(...args);
    expect(without.stderr).toContain(
      'bottle/test/dark/000.png has no mask bottle/ground_truth/dark/000_mask.png: what is not in a folder named good must have one.',
    );
    expect(without.code).toBe(2);
  });

  test('refuses masks of another size, and masks without a report', async () => {
    mkdirSync(at('wrong'), { recursive: true });
    const tiny = { create: { width: 5, height: 5, channels: 3 as const, background: 'white' } };
    await sharp(tiny).png().toFile(at('wrong/bad.png'));
    const asked = ['score', '--model', 'c.onnx', '--masks', 'wrong'];
    const other = run(...asked, '--report', 'r.html', 'test/bad.png');
    expect(other.stderr).toContain(
      'The mask wrong/bad.png is 5 × 5 pixels, and test/bad.png is 12 × 12: give masks of their pictures’ size.'.replace(
        '’',
        "'",
      ),
    );
    expect(other.code).toBe(2);
    expect(run(...asked, 'test').stderr).toContain('--masks is for a report');
    const uncalibrated = run('score', '--model', 'd.onnx', '--report', 'r.html', 'test');
    expect([uncalibrated.code, uncalibrated.stderr]).toEqual([
      2,
      expect.stringContaining('not calibrated'),
    ]);
  });
});
