// Model files that are broken or lie: an error in one sentence or a right answer, soon, in bounds.
import { describe, expect, it } from 'vitest';
import { latents } from '../src/model/inputs.js';
import { Generator, type ModelInfo, UserError } from '../src/node/index.js';
import { stream } from '../src/random/random.js';
import { expectClose, sentence } from './helpers.js';
import { GENERATOR, generate, generatorFile } from './tiny.js';

const cpu = { device: 'cpu' } as const;
const good = generatorFile();

/** What comes of loading and drawing: images, or the sentence that refuses. */
async function outcome(bytes: Uint8Array, count = 4): Promise<string | Float32Array> {
  let generator: Generator | undefined;
  try {
    generator = await Generator.load(bytes, cpu);
    return (await generator.sample({ count })).data;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).toMatch(/^[^\n]+\.$/);
    expect(error.message.length).toBeLessThan(600);
    return error.message;
  } finally {
    await generator?.dispose();
  }
}

describe('a broken file', () => {
  const cuts = [0, 1, 7, 8, 9, 30, 100, 0.3, 0.5, 0.7, 0.9].map((at) =>
    at < 1 ? Math.floor(at * good.length) : at,
  );
  it.each([...cuts, good.length - 1])(
    'cut after %i bytes is refused in one sentence',
    async (length) => {
      expect(await outcome(good.slice(0, length))).toMatch(/^The model /);
    },
  );

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'of random bytes (seed %i) is refused in one sentence',
    async (seed) => {
      const bytes = new Uint8Array(stream(seed, 'bytes').uint32(500).slice().buffer);
      expect(await outcome(bytes)).toMatch(/^The model is not a complete ONNX file/);
    },
  );

  // A changed weight gives a valid answer of another network; anything else must be refused.
  it.each(Array.from({ length: 24 }, (_, seed) => seed))(
    'with three bytes changed (seed %i) is refused in one sentence or still draws',
    async (seed) => {
      const bytes = good.slice();
      const random = stream(seed, 'mutation');
      for (const at of random.below(3, bytes.length)) bytes[at] = random.below(1, 256)[0] as number;
      const result = await outcome(bytes);
      if (typeof result !== 'string') expect(result).toHaveLength(4 * 6);
    },
  );

  it('differs from the original file, which draws its latents’ images', async () => {
    expect(await outcome(good)).toHaveLength(4 * 6);
    const drawn = (await outcome(good)) as Float32Array;
    const expected = generate(latents(GENERATOR, 4, 0));
    expectClose(drawn, expected);
  });
});

describe('a file whose metadata is wrong', () => {
  const { image } = GENERATOR;
  const lies: [string, Partial<ModelInfo>, number, RegExp][] = [
    [
      'a huge latent',
      { latent: { size: 65_536, distribution: 'normal' } },
      4,
      /failed while running/,
    ],
    [
      'huge latents for many images',
      { latent: { size: 65_536, distribution: 'normal' } },
      1e8,
      /too many at once/,
    ],
    ['huge images', { image: { ...image, height: 16_384, width: 16_384 } }, 64, /too many at once/],
    [
      'one huge image',
      { image: { ...image, height: 16_384, width: 16_384 } },
      1,
      /does not match its metadata/,
    ],
    [
      'images in colour',
      { image: { ...image, channels: 3, color: 'rgb' } },
      4,
      /does not match its metadata/,
    ],
    [
      'classes that the network does not take',
      { condition: { input: 'z', classes: 65_536 } },
      4,
      /failed while running/,
    ],
    [
      'codes that the network does not take',
      { codes: { input: 'codes', size: 2, range: [0, 1] } },
      4,
      /no input "codes"/,
    ],
    ['an output with another name', { output: 'z' }, 4, /no output "z"/],
  ];
  it.each(lies)('is refused in one sentence: %s', async (_, lie, count, message) => {
    const before = process.memoryUsage().rss;
    expect(await outcome(generatorFile({ ...GENERATOR, ...lie }), count)).toMatch(message);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });

  it('fails to verify if the certificate is of another network', async () => {
    const certificate = {
      seed: 0,
      count: 1024,
      values: Array<number>(65_536).fill(9),
      mean: 1,
      rms: 1,
      tolerance: { cpu: 1e-5, cuda: 1e-4, wasm: 1e-5, webgpu: 1e-4 },
    };
    const generator = await Generator.load(generatorFile({ ...GENERATOR, certificate }), cpu);
    expect((await generator.verify()).ok).toBe(false);
    expect(await sentence(generator.sample({ count: 1e9 }))).toMatch(/too many/);
    await generator.dispose();
  });
});
