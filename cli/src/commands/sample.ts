import { mkdir } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { Images } from '@gpn/runtime';
import type { Command } from 'commander';
import { amount, deviceOption, examples, seed } from '../options.js';

interface Options {
  model: string;
  count: number;
  seed: number;
  out: string;
  device: 'auto' | 'cpu' | 'webgpu' | 'cuda';
  json?: boolean;
}

export function addSample(program: Command): void {
  program
    .command('sample')
    .description('draw images from an exported generator')
    .requiredOption('--model <file|name>', 'an ONNX file, or the name of a bundled model')
    .option('--count <n>', 'how many images', amount, 64)
    .option('--seed <n>', 'the same seed draws the same images everywhere', seed, 0)
    .option(
      '--out <path>',
      'FILE.png: all images in a grid; FILE.npy: their values; DIR/: a PNG file for each',
      'samples.png',
    )
    .addOption(deviceOption())
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      examples(
        'sample --model dcgan-mnist.onnx --seed 7 --out digits.png',
        'sample --model runs/dcgan-mnist/generator.onnx --count 1000 --out digits.npy',
        'sample --model dcgan-mnist.onnx --count 10 --out digits/',
      ),
    )
    .action(sample);
}

/** How images become files, by the ending of `--out`; anything else is refused. */
const forms: Record<string, (out: string, images: Images) => Promise<[string, Uint8Array][]>> = {
  '.png': async (out, images) => [[out, await images.toPNG()]],
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
  const { checkWritable, kindOf } = await import('../files.js');
  const { model, count, seed, device, json } = options;

  const isFolder = /[/\\]$/.test(options.out) || (await kindOf(options.out)) === 'folder';
  const form = forms[isFolder ? '/' : extname(options.out).toLowerCase()];
  if (!form)
    throw new UserError(
      `--out ${options.out} must end in .png, in .npy, or in / for a folder of pictures.`,
    );
  await checkWritable(options.out, isFolder ? 'folder' : 'file', '--out');

  const generator = await Generator.load(model, { device });
  const files = await form(options.out, await generator.sample({ count, seed }));
  for (const [path, bytes] of files) {
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, bytes);
  }
  const { reason } = generator;
  process.stdout.write(
    json
      ? `${JSON.stringify({ model, count, seed, device: generator.device, reason, files: files.map(([path]) => path) })}\n`
      : `Drew ${count} ${count === 1 ? 'image' : 'images'} with seed ${seed} on ${generator.device}: ${options.out}\n`,
  );
  await generator.dispose();
}
