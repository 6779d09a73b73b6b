import { bulk, SHARD_SIZE } from './declare/bulk.js';
import { amount, codes, seed, walk } from './declare/parsers.js';
import {
  conflicting,
  declare,
  device,
  flag,
  parsed,
  required,
  text,
  withDefault,
} from './declare/spec.js';

export const SAMPLE = declare({
  options: {
    model: required(text('--model <file|name>', 'an ONNX file, or the name of a bundled model')),
    count: parsed(
      '--count <n>',
      'how many images (default: 64, or 10 of each class); in a sweep, how many rows for each class (default: 1)',
      amount,
    ),
    seed: withDefault(
      parsed('--seed <n>', 'the same seed draws the same images on every machine', seed),
      0,
    ),
    interpolate: conflicting(
      parsed('--interpolate <a:b:n>', 'N images on the way from seed A to seed B', walk),
      'count',
      'latents',
    ),
    latents: conflicting(
      text('--latents <file>', 'draw from these latents, a .npy file of shape [count, size]'),
      'count',
    ),
    label: text(
      '--label <class>',
      'the class to draw, by number or name, or all: a row for each class. Without this option: all, or if --count is given, each class in turn',
    ),
    category: conflicting(
      text('--category <class>', 'another name for --label, the term that InfoGAN uses'),
      'label',
    ),
    code: conflicting(
      parsed(
        '--code <k=from:to:n>',
        'sweep code K from column to column, with a row for each class; K=VALUE sets a code; all others are 0',
        codes,
      ),
      'interpolate',
    ),
    out: withDefault(
      text(
        '-o, --out <path>',
        'FILE.png: all images in a grid; FILE.gif or FILE.webp: an animation; FILE.mp4: a video (needs ffmpeg); FILE.npy: the values; DIR/: a PNG file per image, of more than 10,000 images archives in shards; -: a PNG on standard output',
      ),
      'samples.png',
    ),
    ...bulk(SHARD_SIZE.sample),
    device,
    json: flag('--json', 'print what was done as JSON'),
  },
  examples: [
    'sample --model dcgan-mnist.onnx --seed 7 --out digits.png',
    'sample --model dcgan-mnist.onnx --interpolate 1:2:60 --out walk.gif',
    'sample --model cdcgan-mnist --label all --out classes.png',
    'sample --model infogan-mnist --code 0=-2:2:10 --out sweep.png',
    'sample --model runs/dcgan-mnist/generator.onnx --count 1000 --out digits.npy',
    'sample --model dcgan-mnist.onnx --count 10 --out digits/',
    'sample --model dcgan-mnist.onnx --count 1000000 --out million',
  ],
});
