import { mkdir, readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import {
  classOf,
  Generator,
  type Images,
  type ModelInfo,
  readNpy,
  UserError,
  writeNpy,
} from '@gpn/runtime';
import { fileError, writeFileAtomic } from '@gpn/training/atomic';
import { bulkSample, isBulk } from '../bulk/requests.js';
import { checkWritable, kindOf, writeStdout } from '../files.js';
import type { OptionsOf } from '../options/declare/spec.js';
import type { SAMPLE } from '../options/sample.js';
import { animation, ffmpeg, video } from '../pictures.js';
import { drawingOf } from '../serve/drawing.js';
import { placeOf } from '../terminal/place.js';
import { print, printAside } from '../terminal/print.js';

type Options = OptionsOf<typeof SAMPLE>;

type Form = (out: string, images: Images, columns?: number) => Promise<[string, Uint8Array][]>;

const picture: Form = async (out, images, columns) => [
  [out, await images.toPNG({ ...(columns && { columns }) })],
];

const animated =
  (format: 'gif' | 'webp'): Form =>
  async (out, images) => [[out, await animation(images, format)]];

/** How images become files, by the ending of `--out`. */
const forms: Record<string, Form> = {
  '.png': picture,
  '-': picture,
  '.gif': animated('gif'),
  '.webp': animated('webp'),
  '.mp4': async (out, images) => [[out, await video(images)]],
  '.npy': async (out, { data, count, height, width, channels }) => [
    [out, writeNpy(data, [count, height, width, channels])],
  ],
  '/': async (out, images) => {
    const pictures = await images.toPNGs();
    const digits = String(pictures.length - 1).length;
    return pictures.map((picture, i) => [
      join(out, `${String(i).padStart(digits, '0')}.png`),
      picture,
    ]);
  },
};

export async function run(options: Options): Promise<unknown> {
  const { model, out, device, json } = options;

  if (isBulk(options)) return bulkSample(options);
  const toStdout = out === '-';
  const isFolder = /[/\\]$/.test(out) || (!toStdout && (await kindOf(out)) === 'folder');
  const form = forms[toStdout ? '-' : isFolder ? '/' : extname(out).toLowerCase()];
  if (!form)
    throw new UserError(
      `--out ${out} must end in .png, .gif, .webp, .mp4, .npy, or in / for a folder of pictures, or be -.`,
    );
  if (!toStdout) await checkWritable(out, isFolder ? 'folder' : 'file', '--out');
  // A missing ffmpeg is noticed before anything is drawn.
  if (form === forms['.mp4']) await ffmpeg(['-version']);

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
  // The message must not mix with a picture on the standard output.
  (toStdout ? printAside : print)(
    json
      ? `${JSON.stringify({ ...report, files: files.map(([path]) => path) })}\n`
      : `Drew ${count} ${count === 1 ? 'image' : 'images'} ${origin(options)} on ${placeOf(generator)}: ${out}\n`,
  );
  await generator.dispose();
  return undefined;
}

const origin = ({ seed, interpolate, latents }: Options): string =>
  interpolate
    ? `from seed ${interpolate[0]} to seed ${interpolate[1]}`
    : latents === undefined
      ? `with seed ${seed}`
      : `from ${latents}`;

/** The images, and how many of them belong in a row if that matters. */
async function draw(
  generator: Generator,
  options: Options,
): Promise<{ images: Images; columns?: number }> {
  const { seed, count, interpolate, code } = options;
  const { info } = generator;
  const label = options.label ?? options.category;
  if (interpolate) {
    if (label === 'all') {
      throw new UserError('--interpolate walks within one class: name one class instead of all.');
    }
    const labels = label === undefined ? {} : { labels: classOf(info, label) };
    return { images: await generator.interpolate(...interpolate, labels) };
  }
  const latents =
    options.latents === undefined ? undefined : await readLatents(options.latents, info);
  const { inputs, ...rest } = drawingOf(info, { seed, count, label, latents, code });
  return { images: await generator.sample(inputs), ...rest };
}

/** Latents of [count, size] from a .npy file. */
async function readLatents(path: string, info: ModelInfo): Promise<Float32Array> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError('read', path, error);
  });
  const { shape, data } = readNpy(bytes, path);
  const size = info.latent?.size;
  if (shape.length !== 2 || shape[1] !== size || data.length === 0) {
    throw new UserError(
      `${path} (--latents) has the shape [${shape}]; it must be [count, ${size}].`,
    );
  }
  return data;
}
