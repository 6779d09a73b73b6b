import { mkdir } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { Generator, GridPlan, Images, ModelInfo } from '@gpn/runtime';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  amount,
  type Codes,
  classOf,
  codes,
  deviceOption,
  examples,
  seed,
  wholeNumber,
} from '../options.js';

interface Options {
  model: string;
  count?: number;
  seed: number;
  interpolate?: [number, number, number];
  latents?: string;
  label?: string;
  category?: string;
  code?: Codes;
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
    .option(
      '--count <n>',
      'how many images (default: 64; 10 of each class), or how many rows of a sweep for each class (default: 1)',
      amount,
    )
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
    .option(
      '--label <class>',
      'the class to draw, by its number or name; all: a row for each (the default, unless --count is given: then all in turn)',
    )
    .addOption(new Option('--category <class>', 'the same, as InfoGAN calls it').conflicts('label'))
    .addOption(
      new Option(
        '--code <k=from:to:n>',
        'sweep code K from column to column, a row for each class; K=VALUE sets one; others are 0',
      )
        .argParser(codes)
        .conflicts('interpolate'),
    )
    .option(
      '--out <path>',
      'FILE.png: all images in a grid; FILE.gif, FILE.webp: one after the other; FILE.mp4: the same, by ffmpeg; FILE.npy: their values; DIR/: a PNG file for each; -: a PNG to the standard output',
      'samples.png',
    )
    .addOption(deviceOption())
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      examples(
        'sample --model dcgan-mnist.onnx --seed 7 --out digits.png',
        'sample --model dcgan-mnist.onnx --interpolate 1:2:60 --out walk.gif',
        'sample --model cdcgan-mnist --label all --out classes.png',
        'sample --model infogan-mnist --code 0=-2:2:10 --out sweep.png',
        'sample --model runs/dcgan-mnist/generator.onnx --count 1000 --out digits.npy',
        'sample --model dcgan-mnist.onnx --count 10 --out digits/',
      ),
    )
    .action(sample);
}

type Form = (out: string, images: Images, columns?: number) => Promise<[string, Uint8Array][]>;

const picture: Form = async (out, images, columns) => [
  [out, await images.toPNG({ ...(columns && { columns }) })],
];

const animated =
  (format: 'gif' | 'webp'): Form =>
  async (out, images) => {
    const { animation } = await import('../pictures.js');
    return [[out, await animation(images, format)]];
  };

/** How images become files, by the ending of `--out`; anything else is refused. */
const forms: Record<string, Form> = {
  '.png': picture,
  '-': picture,
  '.gif': animated('gif'),
  '.webp': animated('webp'),
  '.mp4': async (out, images) => {
    const { video } = await import('../pictures.js');
    return [[out, await video(images)]];
  },
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
      `--out ${out} must end in .png, .gif, .webp, .mp4, .npy, or in / for a folder of pictures, or be -.`,
    );
  if (!toStdout) await checkWritable(out, isFolder ? 'folder' : 'file', '--out');
  // Before anything is drawn.
  if (form === forms['.mp4']) await (await import('../pictures.js')).ffmpeg(['-version']);

  const generator = await Generator.load(model, { device });
  const { images, columns } = await draw(generator, options);
  const files = await form(out, images, columns);
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

/** The class that is asked for; `all` for a row of each; undefined where none need be chosen. */
async function labelOf(info: ModelInfo, options: Options): Promise<number | 'all' | undefined> {
  const { label, category, count, interpolate, latents, code } = options;
  const text = label ?? category;
  const { UserError } = await import('@gpn/runtime');
  if (text === 'all' && interpolate) {
    throw new UserError('--interpolate walks within one class: name it, rather than all.');
  }
  const { condition } = info;
  if (text !== undefined) return text === 'all' && condition ? 'all' : classOf(info, text);
  const few = count === undefined && latents === undefined && !interpolate;
  return condition && (few || code) ? 'all' : undefined;
}

/** The images, and how many of them lie side by side where that matters. */
async function draw(
  generator: Generator,
  options: Options,
): Promise<{ images: Images; columns?: number }> {
  const { gridInputs } = await import('@gpn/runtime');
  const { seed, count, interpolate, latents, code } = options;
  const { info } = generator;
  const label = await labelOf(info, options);
  const labels = typeof label === 'number' ? { labels: label } : {};
  if (interpolate) return { images: await generator.interpolate(...interpolate, labels) };
  const own = latents === undefined ? {} : { latents: await readLatents(latents, info) };
  const given = { seed, ...own, ...(count !== undefined && { count }) };
  if (label !== 'all' && code === undefined) {
    return { images: await generator.sample({ ...given, ...labels }) };
  }
  const plan: GridPlan = {
    ...given,
    ...(typeof label === 'number' && { labels: [label] }),
    ...(code && { codes: code.fixed }),
    ...(code?.sweep && { sweep: code.sweep }),
  };
  const { columns, ...inputs } = gridInputs(info, plan);
  return { images: await generator.sample(inputs), columns };
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
