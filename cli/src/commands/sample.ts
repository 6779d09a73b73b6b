import { mkdir } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { Generator, Images, ModelInfo } from '@gpn/runtime';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { amount, deviceOption, examples, seed, wholeNumber } from '../options.js';

interface Options {
  model: string;
  count?: number;
  seed: number;
  interpolate?: [number, number, number];
  latents?: string;
  label?: number;
  out: string;
  device: 'auto' | 'cpu' | 'webgpu' | 'cuda';
  json?: boolean;
}

/** `A:B:N`, two seeds and a number of steps. */
function walk(text: string): [number, number, number] {
  const [a, b, steps, ...rest] = text.split(':');
  if (a === undefined || b === undefined || steps === undefined || rest.length > 0)
    throw new InvalidArgumentError('It must be A:B:N, two seeds and a number of images.');
  return [seed(a), seed(b), wholeNumber(2, 100_000)(steps)];
}

export function addSample(program: Command): void {
  program
    .command('sample')
    .description('draw images from an exported generator')
    .requiredOption('--model <file|name>', 'an ONNX file, or the name of a bundled model')
    .option('--count <n>', 'how many images (default: 64)', amount)
    .option('--seed <n>', 'the same seed draws the same images everywhere', seed, 0)
    .addOption(
      new Option('--interpolate <a:b:n>', 'N images on the way from seed A to seed B')
        .argParser(walk)
        .conflicts(['count', 'latents']),
    )
    .addOption(
      new Option(
        '--latents <file>',
        'draw from these latents, a .npy file of [count, size]',
      ).conflicts('count'),
    )
    .option('--label <n>', 'the class to draw; all in turn unless given', wholeNumber(0, 65_535))
    .option(
      '--out <path>',
      'FILE.png: all images in a grid; FILE.gif, FILE.webp: one after the other; FILE.npy: their values; DIR/: a PNG file for each; -: a PNG to the standard output',
      'samples.png',
    )
    .addOption(deviceOption())
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      examples(
        'sample --model dcgan-mnist.onnx --seed 7 --out digits.png',
        'sample --model dcgan-mnist.onnx --interpolate 1:2:60 --out walk.gif',
        'sample --model runs/dcgan-mnist/generator.onnx --count 1000 --out digits.npy',
        'sample --model dcgan-mnist.onnx --count 10 --out digits/',
      ),
    )
    .action(sample);
}

type Form = (out: string, images: Images) => Promise<[string, Uint8Array][]>;

const animated =
  (format: 'gif' | 'webp'): Form =>
  async (out, images) => {
    const { animation } = await import('../pictures.js');
    return [[out, await animation(images, format)]];
  };

/** How images become files, by the ending of `--out`; anything else is refused. */
const forms: Record<string, Form> = {
  '.png': async (out, images) => [[out, await images.toPNG()]],
  '-': async (out, images) => [[out, await images.toPNG()]],
  '.gif': animated('gif'),
  '.webp': animated('webp'),
  '.npy': async (out, { data, count, height, width, channels }) => {
    const { writeNpy } = await import('@gpn/runtime');
    return [[out, writeNpy(data, [count, height, width, channels])]];
  },
  '/': async (out, images) => {
    const pictures = await images.toPNGs();
    const digits = String(pictures.length - 1).length;
    return pictures.map((picture, i) => [
      join(out, `${String(i).padStart(digits, '0')}.png`),
      picture,
    ]);
  },
};

async function sample(options: Options): Promise<void> {
  const { Generator, UserError } = await import('@gpn/runtime');
  const { writeFileAtomic } = await import('@gpn/training/atomic');
  const { checkWritable, kindOf, writeStdout } = await import('../files.js');
  const { model, out, device, json } = options;

  const toStdout = out === '-';
  const isFolder = /[/\\]$/.test(out) || (!toStdout && (await kindOf(out)) === 'folder');
  const form = forms[toStdout ? '-' : isFolder ? '/' : extname(out).toLowerCase()];
  if (!form)
    throw new UserError(
      `--out ${out} must end in .png, .gif, .webp, .npy, or in / for a folder of pictures, or be -.`,
    );
  if (!toStdout) await checkWritable(out, isFolder ? 'folder' : 'file', '--out');

  const generator = await Generator.load(model, { device });
  const images = await draw(generator, options);
  const files = await form(out, images);
  for (const [path, bytes] of files) {
    if (toStdout) {
      await writeStdout(bytes);
      continue;
    }
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, bytes);
  }
  const { reason } = generator;
  const { count } = images;
  const report = { model, count, seed: options.seed, device: generator.device, reason };
  // What is said goes where the picture does not.
  (toStdout ? process.stderr : process.stdout).write(
    json
      ? `${JSON.stringify({ ...report, files: files.map(([path]) => path) })}\n`
      : `Drew ${count} ${count === 1 ? 'image' : 'images'} ${origin(options)} on ${generator.device}: ${out}\n`,
  );
  await generator.dispose();
}

const origin = ({ seed, interpolate, latents }: Options): string =>
  interpolate
    ? `from seed ${interpolate[0]} to seed ${interpolate[1]}`
    : latents === undefined
      ? `with seed ${seed}`
      : `from ${latents}`;

async function draw(generator: Generator, options: Options): Promise<Images> {
  const { seed, count, interpolate, latents, label } = options;
  const labels = label === undefined ? {} : { labels: label };
  if (interpolate) return generator.interpolate(...interpolate, labels);
  if (latents === undefined) return generator.sample({ count: count ?? 64, seed, ...labels });
  return generator.sample({ latents: await readLatents(latents, generator.info), seed, ...labels });
}

/** Latents of [count, size] from a .npy file. */
async function readLatents(path: string, info: ModelInfo): Promise<Float32Array> {
  const { readFile } = await import('node:fs/promises');
  const { readNpy, UserError } = await import('@gpn/runtime');
  const { fileError } = await import('@gpn/training/atomic');
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError('read', path, error);
  });
  const { shape, data } = readNpy(bytes, path);
  const size = info.latent?.size;
  if (shape.length !== 2 || shape[1] !== size || data.length === 0) {
    throw new UserError(
      `${path} (--latents) has the shape [${shape}], where [count, ${size}] is needed.`,
    );
  }
  return data;
}
