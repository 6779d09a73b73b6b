import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pretrainedModels } from '@gpn/models/pretrained';
import { afterAll, describe, expect, it } from 'vitest';
import { Images } from '../src/format/images.js';
import type { ModelInfo } from '../src/format/model-info.js';
import { makeCertificate } from '../src/model/certificate.js';
import { latents } from '../src/model/inputs.js';
import { Discriminator, Generator, loadModel } from '../src/node/index.js';
import { openSession } from '../src/node/session.js';
import { stream } from '../src/random/random.js';
import { expectClose, sentence } from './helpers.js';
import {
  conditionalFile,
  DISCRIMINATOR,
  discriminatorFile,
  GENERATOR,
  generate,
  generatorFile,
} from './tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'gpn-generator-'));
afterAll(() => rmSync(folder, { recursive: true }));

const cpu = { device: 'cpu' } as const;

describe('a generator', () => {
  it('draws what its network computes from the latents of the seed', async () => {
    const generator = await Generator.load(generatorFile(), cpu);
    expect(generator.info).toEqual(GENERATOR);
    expect(generator.device).toBe('cpu');
    expect(generator.reason).toMatch(/^cpu: as asked, \d+ threads?$/);
    const images = await generator.sample({ count: 10, seed: 3 });
    expect([images.count, images.height, images.width, images.channels]).toEqual([10, 2, 3, 1]);
    expectClose(images.data, generate(stream(3, 'latents').uniform(40)));
    expect((await generator.sample()).count).toBe(64);
    await generator.dispose();
  });

  it('draws the same image k in every batch size and number of images', async () => {
    const generator = await Generator.load(generatorFile(), cpu);
    const all = await generator.sample({ count: 20, seed: 5 });
    const few = await generator.sample({ count: 7, seed: 5 });
    const batches = await generator.sample({ count: 20, seed: 5, batchSize: 3 });
    expectClose(few.data, all.data.slice(0, few.data.length));
    expectClose(batches.data, all.data);
    expect(latents(GENERATOR, 7, 5)).toEqual(latents(GENERATOR, 20, 5).slice(0, 28));
    await generator.dispose();
  });

  it('draws from given latents', async () => {
    const generator = await Generator.load(generatorFile(), cpu);
    const z = Float32Array.of(0, 0, 0, 0, 1, -1, 0.5, 2);
    const images = await generator.sample({ latents: z });
    expect(images.count).toBe(2);
    expectClose(images.data, generate(z));
    const odd = generator.sample({ latents: z, count: 3 });
    expect(await sentence(odd)).toBe('3 images take 3 × 4 latents, not 8 values.');
    await generator.dispose();
  });

  it('feeds given classes and codes to its network', async () => {
    const generator = await Generator.load(conditionalFile(), cpu);
    const pixels = async (options: Parameters<Generator['sample']>[0]) => {
      const { data } = await generator.sample(options);
      return Array.from({ length: data.length / 6 }, (_, k) => [...data.slice(6 * k, 6 * k + 3)]);
    };
    const codes = stream(9, 'codes').uniform(8, -2, 2);
    expect(await pixels({ count: 4, seed: 9 })).toEqual(
      [0, 1, 2, 0].map((label, k) => [label, codes[2 * k], codes[2 * k + 1]]),
    );
    const own = Float32Array.of(0.5, -0.5, 0.25, -0.25);
    expect(await pixels({ count: 2, labels: 2, codes: own })).toEqual([
      [2, 0.5, -0.5],
      [2, 0.25, -0.25],
    ]);
    expect((await pixels({ count: 2, labels: [1, 0] })).map(([label]) => label)).toEqual([1, 0]);
    expect(await sentence(pixels({ count: 2, labels: 3 }))).toBe(
      'conditional has no class 3: its classes are 0 to 2.',
    );
    expect(await sentence(pixels({ count: 2, labels: [1] }))).toBe(
      'There are 1 labels for 2 images.',
    );
    await generator.dispose();
  });

  it('refuses options that do not suit the model', async () => {
    const generator = await Generator.load(generatorFile(), cpu);
    expect(await sentence(generator.sample({ count: 0 }))).toMatch(/from 1, not 0/);
    expect(await sentence(generator.sample({ count: 2.5 }))).toMatch(/from 1, not 2\.5/);
    expect(await sentence(generator.sample({ count: 1e12 }))).toMatch(/at most \d+/);
    expect(await sentence(generator.sample({ seed: -1 }))).toMatch(/seed .* -1/);
    expect(await sentence(generator.sample({ batchSize: 0 }))).toMatch(/batch/);
    expect(await sentence(generator.sample({ labels: 1 }))).toMatch(/no classes/);
    expect(await sentence(generator.sample({ codes: Float32Array.of(1) }))).toMatch(/no codes/);
    await generator.dispose();
  });

  it('is loaded from a path and from a URL', async () => {
    const path = join(folder, 'tiny.onnx');
    writeFileSync(path, generatorFile());
    for (const source of [path, pathToFileURL(path), generatorFile().slice().buffer]) {
      const generator = await Generator.load(source, cpu);
      expect(generator.info.name).toBe('tiny');
      await generator.dispose();
    }
  });

  it('is not loaded from a bad source, and the error says why', async () => {
    expect(await sentence(Generator.load('no-such-model', cpu))).toMatch(
      /^There is no file no-such-model, and no bundled model of that name: /,
    );
    expect(await sentence(Generator.load(folder, cpu))).toBe(
      `${folder} is a folder, not an .onnx file.`,
    );
    expect(await sentence(Generator.load(discriminatorFile(), cpu))).toBe(
      'The model is a discriminator, but a generator is needed here.',
    );
  });

  const lies: [string, Partial<ModelInfo>, RegExp][] = [
    ['another input', { input: 'noise' }, /its metadata does not mention the input "z"/],
    ['an input too many', { condition: { input: 'label', classes: 2 } }, /no input "label"/],
    ['another output', { output: 'pixels' }, /no output "pixels"/],
  ];
  it.each(lies)('is not loaded if its metadata claims %s', async (_, lie, reason) => {
    expect(await sentence(Generator.load(generatorFile({ ...GENERATOR, ...lie }), cpu))).toMatch(
      reason,
    );
  });

  it('fails to draw if its metadata claims other sizes', async () => {
    const { image } = GENERATOR;
    const wide = { ...GENERATOR, image: { ...image, height: 3, width: 2 } };
    const long = { ...GENERATOR, latent: { size: 5, distribution: 'normal' as const } };
    const [first, second] = [
      await Generator.load(generatorFile(wide), cpu),
      await Generator.load(generatorFile(long), cpu),
    ];
    expect(await sentence(first.sample({ count: 1 }))).toBe(
      'The model does not match its metadata: its output is [1,2,3,1], not [1,3,2,1].',
    );
    expect(await sentence(second.sample({ count: 1 }))).toMatch(/failed while running: /);
    await Promise.all([first.dispose(), second.dispose()]);
  });
});

describe('a discriminator', () => {
  it('scores images scaled to its own range', async () => {
    const discriminator = await Discriminator.load(discriminatorFile(), cpu);
    const pixels = Float32Array.from({ length: 12 }, (_, i) => i / 16);
    const scores = await discriminator.score(pixels);
    expect(scores).toEqual({ meaning: 'logit', values: Float32Array.of(15 / 16, 51 / 16) });
    const images = new Images(
      2,
      2,
      3,
      1,
      [-1, 1],
      pixels.map((v) => 2 * v - 1),
    );
    expect((await discriminator.score(images)).values).toEqual(scores.values);
    expect((await discriminator.score(pixels, { batchSize: 1 })).values).toEqual(scores.values);
    await discriminator.dispose();
  });

  it('refuses images of another size', async () => {
    const discriminator = await Discriminator.load(discriminatorFile(), cpu);
    const images = new Images(1, 3, 2, 1, [0, 1], new Float32Array(6));
    expect(await sentence(discriminator.score(images))).toBe(
      'tiny-discriminator takes images of 2×3×1, not 3×2×1.',
    );
    expect(await sentence(discriminator.score(new Float32Array(7)))).toMatch(/^7 values are not/);
    expect(await sentence(discriminator.score(new Float32Array(0)))).toMatch(/^0 values are not/);
    await discriminator.dispose();
  });
});

it('bundled models are found by name and draw images of the size and range in their metadata', async () => {
  const bundled = pretrainedModels();
  expect(bundled.length).toBeGreaterThan(0);
  for (const { name, file } of bundled) {
    for (const source of [name, file]) {
      const network = await loadModel(source, cpu);
      expect(await network.verify(), file).toMatchObject({ ok: true });
      await network.dispose();
    }
  }
});

describe('the certificate', () => {
  const certified = async (file: Uint8Array, info: ModelInfo): Promise<ModelInfo> => {
    const session = await openSession(file, cpu);
    const certificate = await makeCertificate(session, info, { seed: 11 });
    await session.dispose();
    return { ...info, certificate };
  };

  it('of a generator contains values of its images and verifies', async () => {
    const info = await certified(generatorFile(), GENERATOR);
    const { seed, count, values, mean, rms } = info.certificate as NonNullable<
      ModelInfo['certificate']
    >;
    expect([seed, count, values.length]).toEqual([11, 8, 64]);
    const output = generate(stream(11, 'latents').uniform(8 * 4));
    const positions = stream(11, 'certificate', 'positions').below(64, output.length);
    expectClose(
      values,
      Array.from(positions, (at) => output[at] as number),
    );
    expect(mean).toBeCloseTo(output.reduce((a, b) => a + b) / output.length, 6);
    expect(rms ** 2).toBeCloseTo(output.reduce((a, b) => a + b * b, 0) / output.length, 6);

    const generator = await Generator.load(generatorFile(info), cpu);
    const verified = await generator.verify();
    expect(verified).toEqual({ ok: true, difference: 0, tolerance: 1e-5, device: 'cpu' });
    await generator.dispose();
  });

  it('of a discriminator verifies', async () => {
    const info = await certified(discriminatorFile(), DISCRIMINATOR);
    const discriminator = await Discriminator.load(discriminatorFile(info), cpu);
    expect(await discriminator.verify()).toMatchObject({ ok: true, difference: 0 });
    await discriminator.dispose();
  });

  it('does not verify a network that computes something else', async () => {
    const info = await certified(generatorFile(), GENERATOR);
    const certificate = info.certificate as NonNullable<ModelInfo['certificate']>;
    const values = [...certificate.values];
    values[63] = (values[63] as number) + 1e-3;
    const generator = await Generator.load(
      generatorFile({ ...info, certificate: { ...certificate, values } }),
      cpu,
    );
    const verified = await generator.verify();
    expect(verified.ok).toBe(false);
    expect(verified.difference).toBeCloseTo(1e-3, 6);
    await generator.dispose();
  });

  it('cannot be verified if the file has none', async () => {
    const generator = await Generator.load(generatorFile(), cpu);
    expect(await sentence(generator.verify())).toMatch(/has no certificate/);
    await generator.dispose();
  });
});
